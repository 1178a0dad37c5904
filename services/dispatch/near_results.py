"""The results that were asked for a moment ago, in this process's own memory, so that a busy one costs no way to Redis.

Only for a second: what another replica has computed anew since, because somebody asked for that, is seen then.
"""

import time
from collections import OrderedDict
from dataclasses import dataclass

FRESH_S = 1.0
"""How long a result is served before Redis is asked again."""

_MOST_ENTRIES = 256
_MOST_CHARACTERS = 65_536
"""Of one result. With the number of entries this bounds the memory, to 64 MB at the very most."""


@dataclass(frozen=True, slots=True)
class _Near:
    json: str
    ends: int
    """The second since 1970 at which the entry ends in Redis."""

    fresh_until: float


class NearResults:
    """A few results by their keys, the least recently noted given up first."""

    def __init__(self) -> None:
        """Holds none yet."""
        self._held: OrderedDict[str, _Near] = OrderedDict()

    def note(self, key: str, json: str, ends: int) -> None:
        """Remembers what Redis holds now: a result, and the second since 1970 at which it ends there."""
        self._held.pop(key, None)
        if len(json) > _MOST_CHARACTERS:
            return
        self._held[key] = _Near(json, ends, time.monotonic() + FRESH_S)
        if len(self._held) > _MOST_ENTRIES:
            self._held.popitem(last=False)

    def get(self, key: str) -> tuple[str, int] | None:
        """A fresh result and when it ends; nothing when Redis must be asked."""
        near = self._held.get(key)
        return (near.json, near.ends) if near and near.fresh_until > time.monotonic() else None
