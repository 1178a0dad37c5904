"""Who was refused for their own rate a moment ago: they are told so again here, until their bucket has room.

All people share one client, the adapter, and so its buckets at Envoy, which counts before anything is known of a call
but its certificate. One person who calls far too often would empty them for the others. dispatch refuses that person
and says when there is room again; until then it would refuse every further call, so none is sent.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from services.base.errors import ACTOR_RATE, PapermeshError, rate_limited

REMEMBERED_S = 1.0
"""How long a refusal is believed at most. A rate may be raised meanwhile, and one call a second is no flood."""

_MOST = 4096
"""Refusals that are remembered; the oldest goes when another comes. There are as many as people who call too often."""

Refused = tuple[str, str]
"""An actor and what was called: an action, or the method of dispatch."""


class Refusals:
    """What dispatch has told this process."""

    def __init__(self) -> None:
        """Nobody was refused."""
        self._until: OrderedDict[Refused, float] = OrderedDict()

    @contextmanager
    def heeded(self, actor: str, called: str) -> Iterator[None]:
        """Makes a call in the block, unless it would be refused for sure, and remembers when it was.

        Raises:
            PapermeshError: RATE_LIMIT, as dispatch would; or what the block raises.
        """
        refused = (actor, called)
        until = self._until.get(refused)
        if until is not None:
            left_s = until - time.monotonic()
            if left_s > 0:
                raise rate_limited(math.ceil(left_s * 1000), ACTOR_RATE)
            self._until.pop(refused, None)
        try:
            yield
        except PapermeshError as error:
            if error.details.get("reason") == ACTOR_RATE and error.retry_after_ms is not None:
                self._remember(refused, error.retry_after_ms / 1000)
            raise

    def _remember(self, refused: Refused, wait_s: float) -> None:
        self._until[refused] = time.monotonic() + min(wait_s, REMEMBERED_S)
        self._until.move_to_end(refused)
        if len(self._until) > _MOST:
            self._until.popitem(last=False)
