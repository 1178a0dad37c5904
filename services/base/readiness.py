"""Whether a part can do its work right now, as its health says it to Envoy."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

_log = logging.getLogger(__name__)

IsReady = Callable[[], Awaitable[bool]]
"""Whether what a part depends on answers. Raises nothing: what cannot be asked is not ready."""


class Tell(Protocol):
    """Takes the answer, as `Server.set_serving` does."""

    def __call__(self, *, serving: bool) -> Awaitable[None]:
        """Takes one answer."""
        ...


EVERY_S = 0.5
"""Between two looks at a dependency that answers."""

AGAIN_S = 0.2
"""Between two looks at one that does not: its return should be seen soon."""


async def watch(is_ready: IsReady, tell: Tell, every_s: float = EVERY_S, again_s: float = AGAIN_S) -> None:
    """Asks until it is cancelled, and tells the first answer and every change."""
    told: bool | None = None
    while True:
        ready = await is_ready()
        if ready != told:
            _log.log(logging.INFO if ready else logging.WARNING, "ready" if ready else "not ready")
            await tell(serving=ready)
            told = ready
        await asyncio.sleep(every_s if ready else again_s)
