"""Dispatch's data in Redis's state role: nonces, rate buckets, and who uploaded which document.

While Redis is away, calls are refused (UNAVAILABLE): without it, a replay looks like a first call. So are calls signed
before Redis lost its data (`epoch.py`).
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from services.base.actions import Rate
from services.base.errors import ACTOR_RATE, Code, PapermeshError, rate_limited
from services.base.redis.link import Part, RedisAway, RedisLink, RedisRefused, Script
from services.base.signature import unauthenticated
from services.dispatch import memory_pressure
from services.dispatch.admission import epoch
from services.dispatch.admission.epoch import EPOCH_OF
from services.dispatch.admission.replay_log import ReplayLog
from services.dispatch.admission.verification import Caller
from services.dispatch.memory_pressure import HARD_LIMIT, HOLDS_MORE_THAN

_log = logging.getLogger(__name__)

NONCE_KEPT_S = 660
"""More than twice the clock skew: if forgotten sooner, a nonce from a clock that runs ahead could be replayed."""

_ADMIT = HOLDS_MORE_THAN + EPOCH_OF + files(__package__).joinpath("admit.lua").read_text()
_MINUTE_MS = 60_000
_WHATEVER = 10**15
"""A share of Redis's memory that is never reached."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket to take one call from."""

    name: str
    rate: Rate
    reason: str = ACTOR_RATE
    """The reason in its refusals: `ACTOR_RATE` or `CLIENT_RATE`."""


class State:
    """What every call asks Redis."""

    def __init__(self, link: RedisLink, replay_log: ReplayLog, rate_scale: float) -> None:
        """Asks through `link`.

        Args:
            link: The state role.
            replay_log: Remembers the nonces, in case Redis loses them.
            rate_scale: Multiplies every rate and burst.
        """
        self._link = link
        self._replay_log = replay_log
        self._admit = Script(link, _ADMIT)
        self._scale = rate_scale

    async def answers(self) -> bool:
        """Whether Redis answers."""
        try:
            return bool(await self._link.call("PING") == b"PONG")
        except (RedisAway, RedisRefused):
            return False

    async def admit(
        self, caller: Caller, buckets: Sequence[Bucket], digests: Sequence[str] = (), *, frees: bool = False
    ) -> list[bool]:
        """Consumes the call's nonce, takes from its buckets and looks up rights.

        Args:
            caller: Whose signature matches.
            buckets: Limit the call.
            digests: The uploaded documents that the call names.
            frees: Admit it however full Redis is, because it will free memory.

        Returns:
            For each digest, whether the client and actor uploaded those bytes. If so, they now count as used.

        Raises:
            PapermeshError: UNAUTHENTICATED for a nonce that was used before, RATE_LIMIT, or UNAVAILABLE, also for a
                call signed before Redis lost its data.
        """
        keys = [
            f"nonce:{caller.client.id}:{caller.nonce}",
            epoch.KEY,
            *(f"bucket:{bucket.name}" for bucket in buckets),
            *map(holders_key, digests),
        ]
        most = _WHATEVER if frees else HARD_LIMIT
        arguments: list[Part] = [NONCE_KEPT_S, self._replay_log.epoch.known, caller.signed_at, most]
        arguments += [len(buckets), owner(caller)]
        for bucket in buckets:
            step = _MINUTE_MS / (bucket.rate.requests_per_minute * self._scale)
            arguments += [step, step * bucket.rate.burst * self._scale]
        with RedisNeeded():
            fresh, *answer = await self._admit.run(keys, arguments)
        if not fresh:
            raise unauthenticated("This call was made before: its nonce has been used. Sign each call with a new one.")
        self._replay_log.record(keys[0], "EVAL", memory_pressure.SET, 1, keys[0], "", "EX", NONCE_KEPT_S, "NX")
        its_epoch, wait_ms, *rest = answer
        self._replay_log.epoch.learn(its_epoch)
        if caller.signed_at <= its_epoch:
            raise epoch.state_lost(wait_ms)
        if wait_ms:
            raise rate_limited(wait_ms, buckets[rest[0] - 1].reason)
        return [bool(each) for each in rest]


def owner(caller: Caller) -> str:
    """The name under which a client and actor own what they store."""
    # A unit separator cannot stand in a client's id, so no two pairs share a name.
    return f"{caller.client.id}\x1f{caller.actor}"


def holders_key(sha256: str) -> str:
    """The hash of an upload's owners: its size in bytes by owner."""
    return f"holders:{sha256}"


class RedisNeeded:
    """Refuses a call if Redis, which it needs, does not answer in the block: PapermeshError, UNAVAILABLE.

    A class, since contextlib's generator would cost each call three times as much.
    """

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, RedisAway | RedisRefused):
            raise redis_away(error) from error


def redis_away(error: RedisAway | RedisRefused) -> PapermeshError:
    """The error for the caller. The log has the cause: to callers, a script with a bug looks like an outage."""
    _log.warning("Redis did not answer: %s: %s", type(error).__name__, error)
    reason = "state_full" if "OOM command" in str(error) else "redis_away"
    return PapermeshError(
        Code.UNAVAILABLE,
        "Calls cannot be verified right now. Try again.",
        retry_after_ms=1000,
        details={"reason": reason},
    )
