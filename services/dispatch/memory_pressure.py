"""What happens when Redis's state role, which evicts nothing, fills up.

Above `SOFT_LIMIT` of its `maxmemory`, it takes nothing that stays for hours: no uploads, no new idempotency keys. Calls
continue up to `HARD_LIMIT`, since what they leave is gone within minutes. Deletion, retention and the end of what was
begun always continue, or nothing would ever get free (docs/decisions/0018-the-state-redis.md).
"""

import asyncio
import logging
from importlib.resources import files

from services.base.errors import Code, PapermeshError
from services.base.redis.link import RedisAway, RedisLink, RedisRefused

SOFT_LIMIT = 0.8
"""Share of `maxmemory` above which nothing is taken that stays for long."""

HARD_LIMIT = 1.25
"""Share of `maxmemory` above which only deletions are admitted. The chart gives Redis twice this much."""

HOLDS_MORE_THAN = files(__package__).joinpath("memory_pressure.lua").read_text()
"""A Lua function: does Redis hold more than a share of `maxmemory`? Goes in front of scripts that ask."""

SET = "redis.call('DEL', 'nothing') return redis.call('SET', KEYS[1], unpack(ARGV))"
"""A script that does SET, and works even if Redis is full; see memory_pressure.lua."""

EVERY_S = 10.0
_AGAIN_MS = 60_000

_log = logging.getLogger(__name__)


def state_full() -> PapermeshError:
    """The answer, for lack of room, to a call that would store something for long."""
    return PapermeshError(
        Code.UNAVAILABLE,
        "This deployment has no room to remember more documents or idempotency keys. Calls on stored"
        " documents and deletions still work. Try this again later.",
        retry_after_ms=_AGAIN_MS,
        details={"reason": "state_full"},
    )


class MemoryWatch:
    """Tells the operator once when Redis is nearly full, and once when it has room again."""

    def __init__(self, link: RedisLink) -> None:
        """Watches the Redis behind `link`, the state role."""
        self._link = link
        self._was_full = False

    async def run(self) -> None:
        """Looks from time to time until it is cancelled."""
        while True:
            try:
                await self.look()
            except (RedisAway, RedisRefused) as error:
                _log.warning("Redis did not say how full it is: %s: %s", type(error).__name__, error)
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Looks once.

        Raises:
            RedisAway, RedisRefused: when Redis does not say.
        """
        is_full = bool(await self._link.call("EVAL", f"{HOLDS_MORE_THAN} return holds_more_than({SOFT_LIMIT})", 0))
        if is_full and not self._was_full:
            _log.warning(
                "Redis's state role is more than %d %% full: uploads and new idempotency keys are refused (state_full)."
                " Raise its maxmemory, or have documents deleted.",
                SOFT_LIMIT * 100,
            )
        if self._was_full and not is_full:
            _log.info("Redis's state role has room again")
        self._was_full = is_full
