"""From an admitted call to its result: from the cache, an equal call under way, or the service."""

from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from services.base.call import Call
from services.base.flow import Flow
from services.dispatch.admission.admission import Admitted
from services.dispatch.admission.concurrency import ConcurrencyLimit
from services.dispatch.admission.state import owner
from services.dispatch.answers.engines import Engines
from services.dispatch.answers.result_cache import ResultCache, result_key
from services.dispatch.answers.single_flight import SingleFlight
from services.dispatch.router import Router, ServiceResult, within


@dataclass(frozen=True, slots=True)
class Answer:
    """A result and where it came from."""

    json: str
    cache: pb.CacheState.ValueType = pb.CACHE_STATE_UNSPECIFIED
    """HIT if the same client and actor got this result before, whoever it was computed for. Told to the caller."""

    result_id: str = ""
    """Identifies what it was made from; empty if no cache took part."""

    max_age_s: int = 0
    """How much longer the caller may reuse it, as if it had been computed when that caller first got it."""

    is_partial: bool = False
    """Asking again can give more, so nobody keeps it."""

    was_found: bool = False
    """It came out of the cache. For the audit log only, never for a caller."""


class CacheScope(StrEnum):
    """Who shares results, and computations under way."""

    DEPLOYMENT = "deployment"
    """Everybody with the right to the documents."""

    CLIENT = "client"
    """The actors of one client."""

    ACTOR = "actor"
    """Nobody: each client and actor has its own."""


class Answers:
    """Answers calls. Whoever asks has already shown every right.

    The caller decides whose place a call takes, whose results it shares, and whether it learns that the result had been
    computed before: nobody learns what somebody else asked for.
    """

    def __init__(
        self,
        router: Router,
        engines: Engines,
        cache: ResultCache,
        single_flight: SingleFlight[Answer],
        concurrency: ConcurrencyLimit,
        *,
        scope: CacheScope,
    ) -> None:
        """Answers with these collaborators; `scope` says who shares results."""
        self._router = router
        self._engines = engines
        self._cache = cache
        self._single_flight = single_flight
        self._concurrency = concurrency
        self._scope = scope

    async def get(self, admitted: Admitted, call: Call, *, no_cache: bool = False) -> Answer:
        """The result of an action.

        That of a call with a secret comes from nowhere but the service, goes nowhere but to its caller, and waits for
        no equal call: whether two passwords are equal is nobody's business.

        Args:
            admitted: The action, its request with resolved documents, and who asks.
            call: The call that asks. Its deadline ends the waiting. The work itself ends when nobody waits any more, or
                at the action's timeout.
            no_cache: Compute it even if it is cached.

        Raises:
            PapermeshError: what the service answered, TIMEOUT, or RATE_LIMIT when too many calls are under way.
        """
        action = admitted.action
        limit_s = action.method.timeout.total_seconds()
        wait_s = min(call.timeout_s, limit_s)
        ttl = action.cache_ttl

        def acquire() -> ExitStack:
            return self._concurrency.acquire(admitted.caller, action.method.service)

        if ttl is None or admitted.is_secret:
            with acquire():
                made = await self._call(admitted, call, wait_s)
            return Answer(made.json, is_partial=made.is_partial)
        asker = owner(admitted.caller)
        if no_cache:
            with acquire():
                return await self._first(await self._compute(admitted, call, wait_s, ttl), asker, ttl)
        # While the engine is unknown, nothing is stored under this key, but equal calls still meet there.
        key = self._key(admitted, self._engines.version(action.method.service))
        found = await self._cache.get(key, asker)
        if found.json is not None:
            answer = Answer(found.json, pb.CACHE_STATE_HIT, key, found.got_s, was_found=True)
            return answer if found.got_s else await self._first(answer, asker, ttl)
        async with within(wait_s):
            answer = await self._single_flight.join(
                key, lambda: self._compute(admitted, call, limit_s, ttl), lambda: self._find(key, asker), acquire
            )
        if not found.got_s or answer.result_id != key:
            return await self._first(answer, asker, ttl)
        # Even if it was computed again: how long an entry lasts would reveal that somebody else had it made.
        return replace(answer, cache=pb.CACHE_STATE_HIT, max_age_s=found.got_s)

    async def _find(self, key: str, asker: str) -> Answer | None:
        found = await self._cache.get(key, asker)
        return None if found.json is None else Answer(found.json, result_id=key, was_found=True)

    async def _first(self, answer: Answer, asker: str, ttl: timedelta) -> Answer:
        """The answer for somebody who gets a result for the first time, or again: as if it had been computed now."""
        if not answer.result_id:
            return answer
        await self._cache.note_got(answer.result_id, asker, ttl)
        return replace(answer, cache=pb.CACHE_STATE_MISS, max_age_s=int(ttl.total_seconds()))

    def _key(self, admitted: Admitted, engine: str) -> str:
        caller = admitted.caller
        match self._scope:
            case CacheScope.DEPLOYMENT:
                whose = ""
            case CacheScope.CLIENT:
                whose = caller.client.id
            case CacheScope.ACTOR:
                whose = owner(caller)
        return result_key(admitted.action, admitted.request, engine, whose)

    async def _call(self, admitted: Admitted, call: Call, timeout_s: float) -> ServiceResult:
        caller = admitted.caller
        flow = Flow.of(caller.client.id, caller.actor)
        return await self._router.call(admitted.action, admitted.request, call, flow, timeout_s)

    async def _compute(self, admitted: Admitted, call: Call, timeout_s: float, ttl: timedelta) -> Answer:
        made = await self._call(admitted, call, timeout_s)
        if made.is_partial or not made.engine:
            return Answer(made.json, is_partial=made.is_partial)
        action = admitted.action
        self._engines.learn(action.method.service, made.engine)
        # Under the engine that made it, which may have been upgraded since the call came.
        key = self._key(admitted, made.engine)
        await self._cache.put(key, made.json, ttl)
        return Answer(made.json, result_id=key)
