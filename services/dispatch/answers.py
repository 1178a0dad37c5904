"""From an admitted call to its result: out of the cache, from an equal call that is under way, or from the service."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from services.base.errors import timed_out
from services.base.flow import Flow
from services.base.handlers import Call
from services.dispatch.admission import Admitted
from services.dispatch.engines import Engines
from services.dispatch.flights import Flights
from services.dispatch.in_flight import InFlight, Leave
from services.dispatch.result_cache import ResultCache, result_key
from services.dispatch.router import Made, Router


@dataclass(frozen=True, slots=True)
class Answer:
    """A result and where it came from."""

    json: str
    cache: pb.CacheState.ValueType = pb.CACHE_STATE_UNSPECIFIED
    result_id: str = ""
    """What it was made of; empty when no cache took part."""

    max_age_s: int = 0
    """How much longer the cache may serve it."""


class Answers:
    """Answers calls. Whoever asks has shown every right before; who it is decides only whose place a call takes."""

    def __init__(
        self, router: Router, engines: Engines, cache: ResultCache, flights: Flights[Answer], in_flight: InFlight
    ) -> None:
        """Answers with these collaborators."""
        self._router = router
        self._engines = engines
        self._cache = cache
        self._flights = flights
        self._in_flight = in_flight

    async def get(self, admitted: Admitted, call: Call, *, no_cache: bool = False) -> Answer:
        """The result of an action.

        Args:
            admitted: The action, its request with resolved documents, and who asks.
            call: The call that asks. Its deadline ends the waiting; the work itself ends when nobody waits any more,
                and at the action's timeout.
            no_cache: Compute it in any case.

        Raises:
            PapermeshError: what the service answered, TIMEOUT, or RATE_LIMIT when too many calls are under way.
        """
        action = admitted.action
        limit_s = action.method.timeout.total_seconds()
        wait_s = min(call.timeout_s, limit_s)
        ttl = action.cache_ttl

        def enter() -> Leave:
            return self._in_flight.enter(admitted.caller, action.method.service)

        if ttl is None:
            with _place(enter):
                return Answer((await self._call(admitted, call, wait_s)).json)
        if no_cache:
            with _place(enter):
                return await self._compute(admitted, call, wait_s, ttl)
        # While the engine is not known, nothing stands under this key, but equal calls still meet there.
        key = result_key(action, admitted.request, self._engines.version(action.method.service))
        if found := await self._find(key):
            return found
        async with _within(wait_s):
            return await self._flights.join(
                key,
                lambda: self._compute(admitted, call, limit_s, ttl),
                lambda: self._find(key),
                enter,
            )

    async def _find(self, key: str) -> Answer | None:
        entry = await self._cache.get(key)
        return None if entry is None else Answer(entry.json, pb.CACHE_STATE_HIT, key, entry.max_age_s)

    async def _call(self, admitted: Admitted, call: Call, timeout_s: float) -> Made:
        caller = admitted.caller
        flow = Flow.of(caller.client.id, caller.actor)
        return await self._router.call(admitted.action, admitted.request, call, flow, timeout_s)

    async def _compute(self, admitted: Admitted, call: Call, timeout_s: float, ttl: timedelta) -> Answer:
        made = await self._call(admitted, call, timeout_s)
        if not made.engine:
            return Answer(made.json)
        action = admitted.action
        self._engines.learn(action.method.service, made.engine)
        # Under the engine that made it, which may have been renewed since the call came.
        key = result_key(action, admitted.request, made.engine)
        await self._cache.put(key, made.json, ttl)
        return Answer(made.json, pb.CACHE_STATE_MISS, key, int(ttl.total_seconds()))


@contextmanager
def _place(enter: Callable[[], Leave]) -> Iterator[None]:
    """Holds a place for as long as the block lasts."""
    leave = enter()
    try:
        yield
    finally:
        leave()


@asynccontextmanager
async def _within(seconds: float) -> AsyncIterator[None]:
    """Ends what takes longer.

    Raises:
        PapermeshError: TIMEOUT.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise timed_out() from None
