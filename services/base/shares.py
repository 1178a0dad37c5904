"""How many calls one certificate may have under way at a server that clients reach: a quarter of what it takes at most.

Who holds a certificate of the mesh and no key reaches dispatch all the same, and a key does not make calls end. So
calls are counted by certificate, from their first byte to their last, whatever their method. Each has three seconds to
be verified, and of those that are not yet only a few at a time are read: the others stay where they are, in a window of
HTTP/2. One certificate may carry many people, as the adapter's does, and a quarter is far more than those have under
way at once; a crowd of honest calls is read within milliseconds.
"""

import asyncio
from dataclasses import dataclass, field

from services.base.errors import NOTHING_DONE, Code, PapermeshError

__all__ = ["CALLS", "SHARE", "UNVERIFIED_READ", "UNVERIFIED_S", "Place", "Shares", "not_verified"]

CALLS = 1_024
"""Calls that a server has under way at once; four certificates with all that they may have fill it."""

SHARE = CALLS // 4
"""Calls of one certificate."""

UNVERIFIED_READ = 32
"""Of these, calls that are read and not verified yet. A message has at most two mebibytes while it comes."""

UNVERIFIED_S = 3.0
"""Seconds from a call's beginning until it must be verified."""

RETRY_AFTER_MS = 1_000
"""What a refused caller is told to wait: nobody knows how long the calls that hold the places will take."""

CERTIFICATE_SHARE, UNVERIFIED = "certificate_share", "unverified"
"""`reason` in the details of a refusal: the certificate has all that it may; the call was not verified in time."""


@dataclass(slots=True)
class _Holder:
    """A certificate with calls under way."""

    calls: int = 0
    reading: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(UNVERIFIED_READ))


class Shares:
    """The places of one server."""

    def __init__(self) -> None:
        """All are free."""
        self._calls = 0
        self._holders: dict[str, _Holder] = {}

    def enter(self, certificate: str) -> "Place":
        """Takes a place for a call.

        Args:
            certificate: Whose call it is: the URI of the certificate that Envoy saw.

        Raises:
            PapermeshError: RATE_LIMIT when this certificate has all that it may, UNAVAILABLE when the server has.
        """
        holder = self._holders.get(certificate)
        if holder is not None and holder.calls >= SHARE:
            raise PapermeshError(
                Code.RATE_LIMIT,
                f"{SHARE} calls of this certificate are under way, and more may not be. Wait for one of them to end, or"
                f" try again in {RETRY_AFTER_MS} ms.",
                retry_after_ms=RETRY_AFTER_MS,
                details={"reason": CERTIFICATE_SHARE},
            )
        if self._calls >= CALLS:
            raise PapermeshError(
                Code.UNAVAILABLE,
                f"All {CALLS} places for calls are taken. Try again in {RETRY_AFTER_MS} ms.",
                retry_after_ms=RETRY_AFTER_MS,
                details=NOTHING_DONE,
            )
        if holder is None:
            holder = self._holders[certificate] = _Holder()
        self._calls += 1
        holder.calls += 1
        return Place(self, certificate, holder.reading)

    def leave(self, certificate: str) -> None:
        """Gives a place back."""
        self._calls -= 1
        holder = self._holders[certificate]
        holder.calls -= 1
        if not holder.calls:
            del self._holders[certificate]


class Place:
    """The place of one call, and its clock."""

    __slots__ = ("_certificate", "_is_read", "_reading", "_shares", "clock")

    def __init__(self, shares: Shares, certificate: str, reading: asyncio.Semaphore) -> None:
        """As `Shares.enter` made it."""
        self._shares = shares
        self._certificate = certificate
        self._reading = reading
        self._is_read = False
        self.clock = asyncio.timeout(UNVERIFIED_S)
        """What the call is served under: raises TimeoutError unless `verified` is called in time."""

    async def may_be_read(self) -> None:
        """Waits for its turn to be read, at most as long as the clock runs."""
        await self._reading.acquire()
        self._is_read = True

    def verified(self) -> None:
        """Says that the call is verified."""
        if not self.clock.expired():
            self.clock.reschedule(None)
        self._end_reading()

    def leave(self) -> None:
        """Gives the place back; to be called once."""
        self._end_reading()
        self._shares.leave(self._certificate)

    def _end_reading(self) -> None:
        if self._is_read:
            self._is_read = False
            self._reading.release()


def not_verified() -> PapermeshError:
    """The answer to a call whose caller was not known in time; Envoy gives the same one to what never came whole."""
    return PapermeshError(
        Code.TIMEOUT,
        f"The call was not verified within {UNVERIFIED_S:g} s. Send its first message at once, and whole.",
        details={"reason": UNVERIFIED},
    )
