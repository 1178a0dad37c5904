"""The slowest that bytes may move while somebody holds a place with them."""


class Pace:
    """Seconds in hand: they pass with time, are earned by bytes that move, and never exceed those at the start.

    A mean over a whole body would let somebody send most of it at once, then hold their place for the time that this
    saved. Here whoever stops runs out of time after the same few seconds, however far they have got; and whoever keeps
    exactly to the pace runs out of time in the end.
    """

    __slots__ = ("_bytes_per_s", "_in_hand_s", "_left_s", "_most_s", "_whole_s", "moved")

    def __init__(self, bytes_per_s: float, most_s: float, whole_s: float) -> None:
        """Has `most_s` seconds in hand, and at most `whole_s` in all; `bytes_per_s` bytes earn one second."""
        self._bytes_per_s = bytes_per_s
        self._most_s = most_s
        self._whole_s = whole_s
        self.begin()

    def begin(self) -> None:
        """Starts again."""
        self._in_hand_s = self._most_s
        self._left_s = self._whole_s
        self.moved = 0
        """Bytes moved since the last look; whoever moves them counts them here."""

    def is_too_slow(self, passed_s: float) -> bool:
        """Takes the seconds that have passed since the last look, and says whether none are left."""
        earned_s = self.moved / self._bytes_per_s
        self.moved = 0
        self._in_hand_s = min(self._most_s, self._in_hand_s + earned_s - passed_s)
        self._left_s -= passed_s
        return min(self._in_hand_s, self._left_s) < 0
