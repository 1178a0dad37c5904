"""Requests that a client signed a moment ago: an equal one is not taken apart again.

This saves work and decides nothing. What is remembered follows from a request's bytes alone: its canonical text, over
which the signature of each call is checked anew, and its typed arguments. Nonce, limits, rights and documents are asked
about for every call.
"""

from collections import OrderedDict

import orjson
from google.protobuf.message import Message

from services.base import canonical
from services.base.actions import Action
from services.dispatch.admission import arguments

MOST_BYTES = 8 * 1024 * 1024
"""What is remembered in all, about."""

_MOST_BYTES_OF_ONE = 16 * 1024
_OVERHEAD = 1024
"""What an entry takes beside its bytes, about."""

_Key = tuple[str, str, bytes]


class Request:
    """A request message as JSON, and its arguments as the action's own message."""

    __slots__ = ("_typed", "args", "key", "text")

    def __init__(self, key: _Key, message: Message) -> None:
        """Reads a message.

        Raises:
            PapermeshError: BAD_ARG when it cannot be canonical.
        """
        request = canonical.request_json(message)
        self.key = key
        self.text = canonical.dumps(request)
        """Its canonical JSON, which is what was signed."""
        self.args = canonical.dumps(request.get("args", {}))
        """Its arguments alone, as canonical JSON."""
        self._typed: bytes | None = None

    def typed(self, action: Action) -> Message:
        """The typed request of the action that it names, the caller's own to change.

        Raises:
            PapermeshError: as `arguments.parse` does.
        """
        if self._typed is not None:
            return action.request.FromString(self._typed)
        typed = arguments.parse(action, orjson.loads(self.args))
        self._typed = typed.SerializeToString()
        return typed

    @property
    def size(self) -> int:
        """Bytes that it takes, about; a typed request is no longer than the arguments that it was made from."""
        return 2 * len(self.key[2]) + len(self.text) + len(self.args) + _OVERHEAD


class KnownRequests:
    """Requests by who sent which bytes, the least recently sent given up first.

    Who sent them counts, the client here and the actor in the bytes: otherwise the time that an answer takes would tell
    one what another asks about.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        """Knows none yet, and never more than so many bytes, about."""
        self._known: OrderedDict[_Key, Request] = OrderedDict()
        self._most_bytes = most_bytes
        self._bytes = 0

    def read(self, client: str, message: Message) -> Request:
        """What a message says, which nobody has verified yet.

        Args:
            client: Id of the client that says it sent it, and whose certificate it has.
            message: A request message.

        Raises:
            PapermeshError: BAD_ARG when it cannot be canonical.
        """
        # The type counts: equal bytes are another text in another message.
        key = (client, message.DESCRIPTOR.full_name, message.SerializeToString(deterministic=True))
        return self._known.get(key) or Request(key, message)

    def keep(self, request: Request) -> None:
        """Remembers a request that was signed by its client."""
        if request.key in self._known:
            self._known.move_to_end(request.key)
        elif request.size <= _MOST_BYTES_OF_ONE:
            self._known[request.key] = request
            self._bytes += request.size
            while self._bytes > self._most_bytes:
                self._bytes -= self._known.popitem(last=False)[1].size
