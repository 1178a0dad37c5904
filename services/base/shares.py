"""How many calls one certificate may have under way at a server that clients reach: a quarter of what it takes at most.

Who holds a certificate of the mesh and no key reaches dispatch all the same, and a key does not make calls end. So
calls are counted by certificate, from their first byte to their last, whatever their method. Each has three seconds to
be verified, and of those that are not yet only a few at a time are read: the others stay where they are, in a window of
HTTP/2. One certificate may carry many people, as the adapter's does, and a quarter is far more than those have under
way at once; a crowd of honest calls is read within milliseconds.
"""

import asyncio
from dataclasses import dataclass, field
from types import TracebackType

from services.base.clock import Clock
from services.base.errors import NOTHING_DONE, RETRY_AFTER_MS, Code, PapermeshError, all_under_way

__all__ = [
    "ANSWER_BYTES",
    "ANSWER_SHARE",
    "CALLS",
    "SHARE",
    "UNVERIFIED_READ",
    "UNVERIFIED_S",
    "Place",
    "Shares",
    "not_verified",
]

CALLS = 1_024
"""Calls that a server has under way at once; four certificates with all that they may have fill it."""

SHARE = CALLS // 4
"""Calls of one certificate."""

ANSWER_BYTES = 128 * 1024 * 1024
"""Bytes of answers that are made and not yet taken. They cost more than twice as much memory until then."""

ANSWER_SHARE = ANSWER_BYTES // 4
"""Of these, the bytes of one certificate: two answers of the largest size."""

UNVERIFIED_READ = 32
"""Of these, calls that are read and not verified yet. A message has at most two mebibytes while it comes."""

UNVERIFIED_S = 3.0
"""Seconds from a call's beginning until it must be verified."""

CERTIFICATE_SHARE, UNVERIFIED = "certificate_share", "unverified"
"""`reason` in the details of a refusal: the certificate has all that it may; the call was not verified in time."""


@dataclass(slots=True)
class _Holder:
    """The calls of a certificate that are under way, or those of all."""

    calls: int = 0
    answer_bytes: int = 0
    reading: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(UNVERIFIED_READ))


class Shares:
    """The places of one server."""

    def __init__(self) -> None:
        """All are free."""
        self.all = _Holder()
        self.holders: dict[str, _Holder] = {}
        self.unverified = Clock()
        """Ends the calls that are not verified in time."""

    def enter(self, certificate: str) -> "Place":
        """Takes a place for a call.

        Args:
            certificate: Whose call it is: the URI of the certificate that Envoy saw.

        Raises:
            PapermeshError: RATE_LIMIT when this certificate has all that it may, UNAVAILABLE when the server has.
        """
        holder = self.holders.get(certificate)
        if holder is None:  # and then kept: the CA has issued few
            holder = self.holders[certificate] = _Holder()
        if holder.calls >= SHARE:
            raise all_under_way(f"{SHARE} calls of this certificate are under way", reason=CERTIFICATE_SHARE)
        if self.all.calls >= CALLS:
            raise PapermeshError(
                Code.UNAVAILABLE,
                f"All {CALLS} places for calls are taken. Try again in {RETRY_AFTER_MS} ms.",
                retry_after_ms=RETRY_AFTER_MS,
                details=NOTHING_DONE,
            )
        self.all.calls += 1
        holder.calls += 1
        return Place(self, holder)


class Place:
    """The place of one call, in whose block the call is served: it ends there unless it is verified in time."""

    __slots__ = ("_answer_bytes", "_holder", "_is_over", "_is_read", "_shares", "_task")

    def __init__(self, shares: Shares, holder: _Holder) -> None:
        """As `Shares.enter` made it."""
        self._shares = shares
        self._holder = holder
        self._task: asyncio.Task[object] | None = None
        self._is_read = self._is_over = False
        self._answer_bytes = 0

    def __enter__(self) -> None:
        self._task = asyncio.current_task()
        self._shares.unverified.start(self, UNVERIFIED_S)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shares.unverified.stop(self)
        # Unless somebody else cancels the call as well.
        if self._is_over and self._task and self._task.uncancel() == 0 and isinstance(error, asyncio.CancelledError):
            raise not_verified() from None

    def time_is_over(self) -> None:
        """Ends the call: its block raises PapermeshError, TIMEOUT."""
        if self._task:
            self._is_over = True
            self._task.cancel()

    async def may_be_read(self) -> None:
        """Waits for its turn to be read, at most as long as the clock runs."""
        await self._holder.reading.acquire()
        self._is_read = True

    def verified(self) -> None:
        """Says that the call is verified."""
        self._shares.unverified.stop(self)
        self._end_reading()

    def hold(self, answer_bytes: int) -> None:
        """Counts the bytes of the call's answer until it leaves.

        Raises:
            PapermeshError: RATE_LIMIT when this certificate has all that it may, UNAVAILABLE when the server has.
        """
        if self._holder.answer_bytes + answer_bytes > ANSWER_SHARE:
            raise PapermeshError(
                Code.RATE_LIMIT,
                "Answers to this certificate are waiting to be read, and there is no room for more. Read those first.",
                retry_after_ms=RETRY_AFTER_MS,
                details={"reason": CERTIFICATE_SHARE},
            )
        if self._shares.all.answer_bytes + answer_bytes > ANSWER_BYTES:
            message = f"There is no room for this answer. Try again in {RETRY_AFTER_MS} ms."
            raise PapermeshError(Code.UNAVAILABLE, message, retry_after_ms=RETRY_AFTER_MS)
        self._answer_bytes = answer_bytes
        for holder in (self._holder, self._shares.all):
            holder.answer_bytes += answer_bytes

    def leave(self) -> None:
        """Gives the place back; to be called once."""
        self._end_reading()
        for holder in (self._holder, self._shares.all):
            holder.calls -= 1
            holder.answer_bytes -= self._answer_bytes

    def _end_reading(self) -> None:
        if self._is_read:
            self._is_read = False
            self._holder.reading.release()


def not_verified() -> PapermeshError:
    """The answer to a call whose caller was not known in time; Envoy gives the same one to what never came whole."""
    return PapermeshError(
        Code.TIMEOUT,
        f"The call was not verified within {UNVERIFIED_S:g} s. Send its whole first message at once.",
        details={"reason": UNVERIFIED},
    )
