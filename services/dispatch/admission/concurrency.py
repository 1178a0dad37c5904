"""How many calls of one actor, and of one client, may be under way at a service at once.

A service takes a bounded number of calls: pdf computes a few and lets 192 wait. Rates do not keep one client from
holding all of these places, since slow calls pile up; so each has places of its own, fewer than a service has. They are
counted for each service by itself: one that hangs costs its callers no place at another.

A call takes a place where it makes a service compute; what the cache or an equal call under way answers takes none.
Each process of dispatch counts its own calls.
"""

from collections import Counter
from contextlib import ExitStack

from services.base.errors import PapermeshError, all_under_way
from services.dispatch.admission.state import owner
from services.dispatch.admission.verification import Caller


class ConcurrencyLimit:
    """The places of this process."""

    def __init__(self, of_actor: int, of_client: int) -> None:
        """Has places.

        Args:
            of_actor: How many calls of one client and actor may be under way at one service, at least 1.
            of_client: How many of one client, all its actors together, at least 1.
        """
        self._of_actor = of_actor
        self._of_client = of_client
        # A client's id holds no separator of `owner`, so the two kinds of holders never meet.
        self._taken: Counter[tuple[str, str]] = Counter()

    def acquire(self, caller: Caller, service: str) -> ExitStack:
        """Takes a place for a call.

        Args:
            caller: Who calls.
            service: The full name of the service that will compute.

        Returns:
            The place, which is given back at the end of its `with` block, or by its `close`.

        Raises:
            PapermeshError: RATE_LIMIT when the client or its actor holds all it may.
        """
        actor, client = (owner(caller), service), (caller.client.id, service)
        if self._taken[actor] >= self._of_actor:
            raise _no_more(f"{self._of_actor} calls of this client and actor")
        if self._taken[client] >= self._of_client:
            raise _no_more(f"{self._of_client} calls of this client")
        self._taken[actor] += 1
        self._taken[client] += 1

        place = ExitStack()
        place.callback(self._release, actor, client)
        return place

    def _release(self, *holders: tuple[str, str]) -> None:
        for holder in holders:
            self._taken[holder] -= 1
            if not self._taken[holder]:  # actors can be invented without end
                del self._taken[holder]


def _no_more(calls: str) -> PapermeshError:
    return all_under_way(f"{calls} are under way at this service", reason="in_flight")
