"""What dispatch keeps in Redis's state role: nonces, rate buckets, and who uploaded which document.

Redis away means refused (UNAVAILABLE): without it no replay could be told from a first call.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from services.base.actions import Rate
from services.base.errors import Code, PapermeshError
from services.base.signature import unauthenticated
from services.dispatch.verification import Caller

_log = logging.getLogger(__name__)

NONCE_KEPT_S = 660
"""More than twice the clock skew: a nonce forgotten sooner could be replayed by a clock that runs ahead."""

_TIMEOUT_S = 1.0
_SCRIPT = files(__package__).joinpath("admit.lua").read_text()
_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket to take one call from."""

    name: str
    rate: Rate


class State:
    """One connection pool to Redis."""

    def __init__(self, url: str, rate_scale: float) -> None:
        """Connects on first use.

        Args:
            url: unix:///path/to.sock, redis://… or rediss://…
            rate_scale: Multiplies every rate and burst.
        """
        self._redis: Redis = Redis.from_url(
            url,
            socket_timeout=_TIMEOUT_S,
            socket_connect_timeout=_TIMEOUT_S,
            # A second try of the script would find the nonce that the first one consumed.
            retry=Retry(NoBackoff(), 0),
            health_check_interval=0,
        )
        self._scale = rate_scale
        self._sha = ""

    async def start(self) -> None:
        """Loads the script.

        Raises:
            PapermeshError: UNAVAILABLE when Redis cannot be reached.
        """
        try:
            self._sha = await self._redis.script_load(_SCRIPT)
        except (RedisError, OSError) as error:
            raise _away(error) from error

    async def answers(self) -> bool:
        """Whether Redis does."""
        try:
            return bool(await self._redis.ping())
        except (RedisError, OSError):
            return False

    async def admit(self, caller: Caller, buckets: Sequence[Bucket], digests: Sequence[str] = ()) -> list[bool]:
        """Consumes the call's nonce, takes it from its buckets and looks up rights.

        Args:
            caller: Whose signature fits.
            buckets: What limits the call.
            digests: Uploaded documents that the call names.

        Returns:
            For each digest, whether the client and actor uploaded those bytes.

        Raises:
            PapermeshError: UNAUTHENTICATED for a nonce that was used before, RATE_LIMIT, or UNAVAILABLE.
        """
        keys = [
            f"nonce:{caller.client.id}:{caller.nonce}",
            *(f"bucket:{bucket.name}" for bucket in buckets),
            *map(_owners_key, digests),
        ]
        arguments: list[str | float] = [NONCE_KEPT_S, len(buckets), _owner(caller)]
        for bucket in buckets:
            step = _MINUTE_MS / (bucket.rate.requests_per_minute * self._scale)
            arguments += [step, step * bucket.rate.burst * self._scale]
        fresh, wait_ms, *owned = await self._run(keys, arguments)
        if not fresh:
            raise unauthenticated("This call was made before: its nonce is used up. Sign each call anew.")
        if wait_ms:
            raise PapermeshError(Code.RATE_LIMIT, f"Too many calls. Try again in {wait_ms} ms.", retry_after_ms=wait_ms)
        return [bool(each) for each in owned]

    async def add_owner(self, caller: Caller, sha256: str) -> None:
        """Notes that the client and actor uploaded these bytes.

        Raises:
            PapermeshError: UNAVAILABLE.
        """
        try:
            await self._redis.sadd(_owners_key(sha256), _owner(caller))
        except (RedisError, OSError) as error:
            raise _away(error) from error

    async def close(self) -> None:
        """Closes the connections."""
        await self._redis.aclose()

    async def _run(self, keys: Sequence[str], arguments: Sequence[str | float]) -> list[int]:
        try:
            try:
                answer: list[int] = await self._redis.evalsha(self._sha, len(keys), *keys, *arguments)
            except NoScriptError:  # Redis was restarted; nothing ran, so this is no second try
                await self.start()
                answer = await self._redis.evalsha(self._sha, len(keys), *keys, *arguments)
        except (RedisError, OSError) as error:
            raise _away(error) from error
        return answer


def _owner(caller: Caller) -> str:
    # A unit separator cannot stand in a client's id, so no two pairs share a name.
    return f"{caller.client.id}\x1f{caller.actor}"


def _owners_key(sha256: str) -> str:
    return f"owners:{sha256}"


def _away(error: Exception) -> PapermeshError:
    """The log says what it was: a script with a bug looks like an outage to callers."""
    _log.warning("Redis did not answer: %s: %s", type(error).__name__, error)
    return PapermeshError(Code.UNAVAILABLE, "Calls cannot be verified right now. Try again.", retry_after_ms=1000)
