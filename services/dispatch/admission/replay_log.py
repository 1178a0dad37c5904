"""What Redis acknowledged in the last seconds, told again on each new connection: a killed Redis may have lost it.

With `appendfsync everysec`, Redis replies up to two seconds before it writes its log, while the disk is busy with the
previous second. A nonce lost this way could be used again, and repeat a side effect (docs/decisions/0011-redo.md).
"""

import asyncio
import logging
from collections import OrderedDict
from importlib.resources import files
from time import monotonic

from services.base.redis.link import Part, Send
from services.dispatch.admission.epoch import EPOCH_OF, KEY, Epoch

KEEP_S = 5.0
"""More than twice as long as Redis delays its writes."""

FENCE_MS = 500
"""How long a restarted Redis admits nothing. While it is away, each replica looks for it more than twice as often
(`services.base.readiness.AGAIN_S`), so by then each has told it what it knew."""

_FENCE = EPOCH_OF + files(__package__).joinpath("fence.lua").read_text()
_FENCE_KEY = "fence"

_AT_ONCE = 1000
"""Commands that await replies at once; a link has room for a few thousand."""

_log = logging.getLogger(__name__)


class ReplayLog:
    """What one replica had Redis write."""

    def __init__(self, *, is_first_start: bool = False) -> None:
        """Remembers nothing yet.

        Args:
            is_first_start: No call was ever made, so an empty Redis has lost nothing.
        """
        self._is_first_start = is_first_start
        self._recorded: OrderedDict[str, tuple[float, tuple[Part, ...]]] = OrderedDict()
        self.epoch = Epoch()
        """Learnt from Redis and never told to it: a lost epoch shows that more was lost."""

    def record(self, key: str, *command: Part) -> None:
        """Remembers a command, replacing an earlier one for the same key.

        Args:
            key: The Redis key that it writes.
            command: Restores what was written. It also runs if nothing was lost, and must then do no harm.
        """
        now = monotonic()
        self._recorded[key] = (now, command)
        self._recorded.move_to_end(key)
        # Measured from the latest, not from the moment of telling: Redis may be away for hours in between.
        while self._recorded[next(iter(self._recorded))][0] < now - KEEP_S:
            self._recorded.popitem(last=False)

    async def replay(self, send: Send) -> None:
        """Tells a newly connected Redis what it should hold, and gives all replicas time to do the same.

        Args:
            send: Sends one command over the new connection, before any other.

        Raises:
            RedisAway: when Redis cannot be used now, or did not take everything.
            RedisRefused: when it refused a command. In both cases the connection must not be used.
        """
        commands = [command for _, command in self._recorded.values()]
        for first in range(0, len(commands), _AT_ONCE):
            await asyncio.gather(*(send(*command) for command in commands[first : first + _AT_ONCE]))
        known = self.epoch.known
        # Once an epoch is known, calls may have been made under it.
        nothing_lost = self._is_first_start and known == ""
        wait_ms, epoch, lost = await send("EVAL", _FENCE, 2, _FENCE_KEY, KEY, FENCE_MS, known, int(nothing_lost))
        self.epoch.learn(epoch, lost=bool(lost))
        # It may be killed again before it has written these.
        now = monotonic()
        self._recorded.update((key, (now, command)) for key, (_, command) in self._recorded.items())
        if wait_ms:
            _log.info("Redis was restarted", extra={"fields": {"told_again": len(commands), "wait_ms": wait_ms}})
            await asyncio.sleep(wait_ms / 1000)
