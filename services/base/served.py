"""One call that is being served, from its first byte to its end: the one seam for what every call has.

That is its identity and place, its trace and time, what it may send, how it fails, and who is told of its end. An
interceptor of grpc would have none of these at hand (docs/decisions/0021-one-interceptor.md).
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import grpc
from google.protobuf.message import DecodeError, Message

from services.base import identity, status, telemetry
from services.base.call import Call, Ended, Metadata, OnEnd
from services.base.errors import Code, PapermeshError, bad_arg, too_large
from services.base.shares import Place, Shares

MAX_REQUEST_BYTES = 1024 * 1024
"""The largest request message that a service takes; larger ones are TOO_LARGE."""

_SENT_AT_ONCE = 32 * 1024
"""Bytes of an answer that go out whether it is read or not: less than a window of HTTP/2."""

_log = logging.getLogger(__name__)

# Quoted: grpc's class takes no parameters at run time, only in its stub.
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


def message_too_large() -> PapermeshError:
    """The answer to a message over the limit; Envoy gives the same one to what is much larger."""
    message = f"A message may have at most {MAX_REQUEST_BYTES} bytes. Upload documents instead of sending them along."
    return too_large(message, limit_bytes=MAX_REQUEST_BYTES)


class UnderWay:
    """How many calls a server is serving, so that it can leave after the last of them and not with it."""

    def __init__(self) -> None:
        """Begins with none."""
        self.calls = 0
        self._none = asyncio.Event()
        self._none.set()

    def begin(self) -> None:
        """Counts a call that has come."""
        self.calls += 1
        self._none.clear()

    def end(self) -> None:
        """Counts it as ended."""
        self.calls -= 1
        if not self.calls:
            self._none.set()

    async def all_ended(self, limit_s: float) -> bool:
        """Waits until there are none, for `limit_s` seconds at most; False when there still are."""
        try:
            await asyncio.wait_for(self._none.wait(), limit_s)
        except TimeoutError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Serving:
    """What all methods of a server have in common."""

    timeouts_s: Mapping[str, float]
    """The longest each method may run in seconds, by its path."""

    behind_mesh: bool
    """Whether the server is a backend of Envoy's mesh listener (see `status.status_code`)."""

    engine: str = ""
    """Version of the engine that makes the results; empty when nobody keeps them."""

    on_end: Sequence[OnEnd] = ()
    """Who is told of every call's end, in this order."""

    under_way: UnderWay = field(default_factory=UnderWay)
    """The calls whose end nobody was told of yet."""

    shares: Shares | None = None
    """The places of calls, where clients reach the server; None where only dispatch does, which has verified them."""


class Served:
    """One call that is being served. What has to be done for every call, whatever its method, is done here."""

    def __init__(self, path: str, serving: Serving, context: Context, *, streams: bool) -> None:
        """Begins with it; `streams` says whether the servicer takes a stream of messages."""
        metadata: Metadata = tuple(context.invocation_metadata() or ())
        request_id = traceparent = ""
        for key, value in metadata:
            if key == "x-request-id":
                request_id = str(value)
            elif key == telemetry.TRACEPARENT:
                traceparent = str(value)
        remaining = context.time_remaining()
        timeout_s = serving.timeouts_s[path]
        serving.under_way.begin()
        self._context = context
        self._serving = serving
        self._began = time.perf_counter()
        self._place: Place | None = None
        self._streams = streams
        self.facts = Call(
            method=path,
            metadata=metadata,
            request_id=request_id,
            timeout_s=timeout_s if remaining is None else min(remaining, timeout_s),
            traceparent=telemetry.continue_trace(traceparent),
            verified=self._verified,
        )

    def taken_in(self) -> AbstractContextManager[object]:
        """The call's place, where places are counted; in its block runs the clock until the call is verified.

        Raises:
            PapermeshError: UNAUTHENTICATED, RATE_LIMIT or UNAVAILABLE when there is no place for it; the block TIMEOUT.
        """
        if self._serving.shares is None:
            return nullcontext()
        self._place = self._serving.shares.enter(identity.caller(self.facts.metadata))
        return self._place

    def hold(self, answer_bytes: int) -> None:
        """Counts an answer that is made at once, until the caller has taken it; a stream's pieces wait for the caller.

        Raises:
            PapermeshError: RATE_LIMIT or UNAVAILABLE when there is no room for it.
        """
        if self._place and answer_bytes > _SENT_AT_ONCE:
            self._place.hold(answer_bytes)

    async def parsed(self, kind: type[Message], request: Any) -> Any:
        """The request: a message, or an iterator over those of a stream."""
        if self._place:
            await self._place.may_be_read()
        if self._streams:
            return _parse_all(kind, request)
        if not isinstance(request, bytes):
            request = await self._context.read()
            if request is grpc.aio.EOF:
                raise bad_arg("The call has no message. Send the one that the proto describes.")
        return _parse(kind, request)

    async def _verified(self) -> None:
        if self._place:
            self._place.verified()
            if self._streams:
                # Envoy's clock for requests that are not verified ends with the first word of the answer.
                await self._context.send_initial_metadata(())

    def end(self, code: str, bytes_out: int = 0) -> None:
        """Tells of the call's end whoever wants to know."""
        if self._serving.on_end:
            ended = Ended(self.facts, code, time.perf_counter() - self._began, bytes_out)
            for tell in self._serving.on_end:
                tell(ended)
        self._serving.under_way.end()
        if (place := self._place) is None:
            return
        if bytes_out > _SENT_AT_ONCE:  # it is held until somebody reads it, and as long the call has its place
            self._context.add_done_callback(lambda _: place.leave())  # type: ignore[arg-type]  # any callable will do
        else:
            place.leave()

    async def fail(self, error: Exception) -> None:
        """Ends the call with the status of an error; what is no `PapermeshError` is a bug and says only its id."""
        if not isinstance(error, PapermeshError):
            _log.error(
                "A bug in %s",
                self.facts.method,
                exc_info=error,
                extra={"fields": {"request_id": self.facts.request_id}},
            )
            error = PapermeshError(Code.INTERNAL, "Something went wrong on our side. The log has it under this id.")
        error.request_id = error.request_id or self.facts.request_id
        self.end(error.code)
        code = status.status_code(error, behind_mesh=self._serving.behind_mesh)
        details = ((status.DETAILS_KEY, status.encode(error, code)),)
        await self._context.abort(code, status.text(error), trailing_metadata=details)


def _parse(kind: type[Message], data: bytes) -> Message:
    if len(data) > MAX_REQUEST_BYTES:
        raise message_too_large()
    try:
        return kind.FromString(data)
    except DecodeError:
        raise bad_arg(
            f"The request is not a {kind.DESCRIPTOR.full_name}. Send the message that the proto describes."
        ) from None


async def _parse_all(kind: type[Message], stream: AsyncIterator[bytes]) -> AsyncIterator[Message]:
    async for data in stream:
        yield _parse(kind, data)
