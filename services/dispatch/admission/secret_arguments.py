"""The secrets in an action's arguments, such as a document's password: their call is kept nowhere.

They are found by name, at any depth and before anything is known of the arguments. A password that a caller puts in
the wrong place, or gives to an action that there is not, is as secret as one in the right place.
"""

from collections.abc import Iterable
from typing import Any, cast

import orjson
from google.protobuf.descriptor import Descriptor

from services.base import canonical
from services.base.actions import Action
from services.base.schema import is_secret
from services.dispatch.admission.documents import kinds_within

_MARK = True
"""Stands for a secret. No text equals it."""


class SecretArguments:
    """Knows the names of all secret arguments."""

    def __init__(self, actions: Iterable[Action]) -> None:
        """Learns the names from the protos of `actions`."""
        kinds = {kind for action in actions for kind in kinds_within(cast("Descriptor", action.request.DESCRIPTOR))}
        self._names = frozenset(field.name for kind in kinds for field in kind.fields if is_secret(field))
        self._written = tuple(f'"{name}":'.encode() for name in self._names)

    def hidden(self, args: bytes) -> bytes:
        """Arguments in which a mark stands for each secret; equal to `args` where there is none.

        An empty secret is none.

        Args:
            args: The arguments as canonical JSON, which names a field in one way only.
        """
        if not any(name in args for name in self._written):
            return args
        return canonical.dumps(self._without(orjson.loads(args)))

    def _without(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {
                name: _MARK if item and name in self._names else self._without(item) for name, item in value.items()
            }
        return [self._without(item) for item in value] if isinstance(value, list) else value
