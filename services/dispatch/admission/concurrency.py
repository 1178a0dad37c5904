"""Limits on how many calls of one actor, and of one client, may be under way at a service.

A service takes a limited number of calls: pdf computes a few and lets 192 wait. Rates cannot keep one client from
holding all of these places, since slow calls pile up. So each client has its own places, fewer than a service has, and
they are counted for each service: one that hangs costs its callers no place at another.

A call takes a place if it makes a service compute, but not if the cache or an equal call under way answers it. Each
process of dispatch counts its own calls.
"""

from collections import Counter
from contextlib import ExitStack

from services.base.errors import PapermeshError, all_under_way
from services.dispatch.admission.state import owner
from services.dispatch.admission.verification import Caller


class ConcurrencyLimit:
    """The places in this process."""

    def __init__(self, of_actor: int, of_client: int) -> None:
        """Starts with all places free.

        Args:
            of_actor: How many calls of one client and actor may be under way at one service, at least 1.
            of_client: The same for one client, all its actors together, at least 1.
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
            The place. Its `with` block, or its `close`, gives it back.

        Raises:
            PapermeshError: RATE_LIMIT when the client or its actor holds all of its places.
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
