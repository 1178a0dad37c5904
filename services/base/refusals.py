"""Who was refused for their own rate a moment ago: they are told so again here, until their bucket has room.

All people of the adapter share one client, and so its buckets at Envoy, which counts before anything is known of a call
but its certificate. One person who calls far too often would empty them for the others. dispatch refuses that person
and says when there is room again; until then it would refuse every further call, so none is sent.
"""

import math
import time
from collections import OrderedDict

from services.base.errors import ACTOR_RATE, PapermeshError, rate_limited

REMEMBERED_S = 1.0
"""How long a refusal is believed at most. A rate may be raised meanwhile, and one call a second is no flood."""

_MOST = 4096
"""Refusals that are remembered; the oldest goes when another comes. There are as many as people who call too often."""

Refused = tuple[str, str]
"""An actor and what was called: an action, or the name of a method."""


class Refusals:
    """What dispatch has told this process."""

    def __init__(self) -> None:
        self._until: OrderedDict[Refused, float] = OrderedDict()

    def heed(self, refused: Refused) -> None:
        """Refuses a call that would be refused for sure.

        Raises:
            PapermeshError: RATE_LIMIT, as dispatch would.
        """
        until = self._until.get(refused)
        if until is not None:
            left_s = until - time.monotonic()
            if left_s > 0:
                raise rate_limited(math.ceil(left_s * 1000), ACTOR_RATE)
            del self._until[refused]

    def learn(self, refused: Refused, error: PapermeshError) -> None:
        """Remembers what a call ended with, where that says how the next ones will."""
        if error.details.get("reason") == ACTOR_RATE and error.retry_after_ms is not None:
            self._until[refused] = time.monotonic() + min(error.retry_after_ms / 1000, REMEMBERED_S)
            self._until.move_to_end(refused)
            if len(self._until) > _MOST:
                self._until.popitem(last=False)
