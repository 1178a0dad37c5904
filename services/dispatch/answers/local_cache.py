"""The latest results, in this process's own memory, so that a popular one needs no round trip to Redis.

Only for a second: after that, what another replica has recomputed on request is seen.
"""

import time
from collections import OrderedDict
from dataclasses import dataclass, field

FRESH_S = 1.0
"""How long a result is served before Redis is asked again."""

_MOST_ENTRIES = 256
_MOST_CHARACTERS = 65_536
"""Bytes of one result. With the number of entries, this limits the memory to 64 MB."""

_MOST_OWNERS = 64
"""Owners of one result. Beyond these, Redis is asked about an owner once a second."""


@dataclass(frozen=True, slots=True)
class _Entry:
    json: str
    ends: int
    """The second since 1970 at which the entry expires in Redis."""

    fresh_until: float
    got: dict[str, int] = field(default_factory=dict)
    """Who got it before, and the second since 1970 until which that counts."""


class LocalCache:
    """A few results by their keys; the least recently noted goes first."""

    def __init__(self) -> None:
        """Starts empty."""
        self._held: OrderedDict[str, _Entry] = OrderedDict()

    def note(self, key: str, json: str, ends: int) -> None:
        """Remembers what Redis holds now: a result, and the second since 1970 at which it expires there."""
        before = self._held.pop(key, None)
        if len(json) > _MOST_CHARACTERS:
            return
        self._held[key] = _Entry(json, ends, time.monotonic() + FRESH_S, before.got if before else {})
        if len(self._held) > _MOST_ENTRIES:
            self._held.popitem(last=False)

    def note_got(self, key: str, owner: str, until: int) -> None:
        """Remembers that somebody got a result; this counts until that second since 1970."""
        entry = self._held.get(key)
        if entry is not None:
            if len(entry.got) >= _MOST_OWNERS:
                entry.got.clear()
            entry.got[owner] = until

    def get(self, key: str, owner: str) -> tuple[str, int, int] | None:
        """A fresh result, when it expires, and until when it counts that this owner got it before.

        None if Redis must be asked about the result or the owner.
        """
        entry = self._held.get(key)
        if entry is None or entry.fresh_until <= time.monotonic() or owner not in entry.got:
            return None
        return entry.json, entry.ends, entry.got[owner]
