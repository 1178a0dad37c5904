"""How long each action may take. The adapter knows no action by name; the catalogue says it."""

from collections.abc import Iterable

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb

KNOWN_FOR_S = 60.0
"""How long a catalogue is believed: a deployment may get services, and longer timeouts, while the adapter runs."""


class Timeouts:
    """What catalogues said."""

    def __init__(self, longest_s: float) -> None:
        """Knows none yet.

        Args:
            longest_s: What an action gets, in seconds, that no catalogue has named.
        """
        self._longest_s = longest_s
        self._seconds: dict[str, float] = {}
        self._good_until = float("inf")

    def of(self, action: str) -> float:
        """The longest that a caller of an action may wait, in seconds."""
        return self._seconds.get(action, self._longest_s)

    def learn(self, catalogue: Iterable[pb.ActionInfo], now: float) -> None:
        """Takes what a catalogue says; `now` is the loop's time.

        It lists what one person may call, so it tells nothing of the actions that it leaves out, and does not put
        off the next question.
        """
        self._seconds.update((action.name, action.timeout.ToTimedelta().total_seconds()) for action in catalogue)
        self._good_until = min(self._good_until, now + KNOWN_FOR_S)

    def should_ask(self, now: float) -> bool:
        """Whether the catalogue is to be asked for again, which whoever is told so does.

        Never before the first one has been learnt, without which the adapter is not ready.
        """
        if now < self._good_until:
            return False
        self._good_until = now + KNOWN_FOR_S
        return True
