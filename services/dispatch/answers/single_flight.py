"""Single flight: equal calls under way at the same time, in any replica, are computed once.

Within a process, equal calls wait for one task. Across processes, the first one holds a lease in Redis's cache role,
and the others look for its result there. Losing that Redis, or a holder, costs a second computation and nothing else.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import orjson

from services.base.errors import Code, FieldViolation, PapermeshError
from services.base.redis.link import RedisAway, RedisLink, RedisRefused, Script

_LEASE_MS = 3_000
"""How long until a killed holder is replaced."""

_RENEW_S = 1.0
_FAILURE_KEPT_MS = 5_000
_LOOK_FIRST_S, _LOOK_LAST_S = 0.01, 0.1
"""How often the others look: often at first, since most results take milliseconds."""

_RENEW = """if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0"""
_RELEASE = """if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"""

T = TypeVar("T")


@dataclass(slots=True)
class _Flight(Generic[T]):
    task: "asyncio.Task[T]"
    waiting: int = 0


class SingleFlight(Generic[T]):
    """The computations under way in this process; each makes a T."""

    def __init__(self, link: RedisLink) -> None:
        """Agrees with other replicas through `link`, the cache role."""
        self._link = link
        self._renew = Script(link, _RENEW)
        self._release = Script(link, _RELEASE)
        self._flights: dict[str, _Flight[T]] = {}

    async def join(
        self,
        key: str,
        compute: Callable[[], Awaitable[T]],
        find: Callable[[], Awaitable[T | None]],
        acquire: Callable[[], ExitStack],
    ) -> T:
        """The key's result: computed here, or by an equal call under way.

        A caller that is cancelled leaves; when the last one has left, the computation is cancelled too.

        Args:
            key: The result's key.
            compute: Makes the result and caches it; only one caller's is called.
            find: Looks for the result in the cache, before computing and while another replica computes.
            acquire: Called for the caller that starts a flight; what it returns is closed when the flight ends.

        Raises:
            PapermeshError: why the computation failed, the same for everybody who waited for it; or what `acquire`
                raises, for that one caller only.
        """
        flight = self._flights.get(key)
        if flight is None:
            place = acquire()
            flight = _Flight(asyncio.create_task(self._fly(key, compute, find)))
            self._flights[key] = flight
            flight.task.add_done_callback(lambda task: self._land(key, task))
            # Not when the caller that started it has left: others may still wait for it.
            flight.task.add_done_callback(lambda _: place.close())
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        except PapermeshError as error:
            # Each call's error gets that call's own request id.
            raise replace(error, request_id="") from error
        finally:
            flight.waiting -= 1
            if flight.waiting == 0 and not flight.task.done():
                self._forget(key, flight.task)
                flight.task.cancel()

    def _land(self, key: str, task: "asyncio.Task[T]") -> None:
        self._forget(key, task)
        if not task.cancelled():
            task.exception()  # when everybody has left, nobody asks for it

    def _forget(self, key: str, task: "asyncio.Task[T]") -> None:
        if key in self._flights and self._flights[key].task is task:
            del self._flights[key]

    async def _fly(self, key: str, compute: Callable[[], Awaitable[T]], find: Callable[[], Awaitable[T | None]]) -> T:
        token = secrets.token_hex(16)
        while True:
            try:
                holder = await self._claim(key, token)
            except (RedisAway, RedisRefused):
                return await compute()
            if holder == token:
                return await self._lead(key, token, compute, find)
            found = await self._follow(key, holder, find)
            if found is not None:
                return found

    async def _claim(self, key: str, token: str) -> str:
        """Takes the lease unless somebody has it, and says who has it now."""
        while not await self._link.call("SET", _lease(key), token, "NX", "PX", _LEASE_MS):
            holder = await self._link.call("GET", _lease(key))
            if holder is not None:
                return bytes(holder).decode()
        return token

    async def _lead(
        self,
        key: str,
        token: str,
        compute: Callable[[], Awaitable[T]],
        find: Callable[[], Awaitable[T | None]],
    ) -> T:
        renewing = asyncio.create_task(self._keep(key, token))
        try:
            # An equal call may have ended since this one looked, and returned the lease.
            found = await find()
            return await compute() if found is None else found
        except PapermeshError as error:
            await self._publish(token, error)
            raise
        finally:
            renewing.cancel()
            with suppress(RedisAway, RedisRefused):
                await self._release.run([_lease(key)], [token])

    async def _keep(self, key: str, token: str) -> None:
        while True:
            await asyncio.sleep(_RENEW_S)
            with suppress(RedisAway, RedisRefused):
                await self._renew.run([_lease(key)], [token, _LEASE_MS])

    async def _publish(self, token: str, error: PapermeshError) -> None:
        """Tells those who wait in other replicas; later callers do not learn of it."""
        with suppress(RedisAway, RedisRefused):
            await self._link.call("SET", _failure(token), orjson.dumps(error, default=dict), "PX", _FAILURE_KEPT_MS)

    async def _follow(self, key: str, holder: str, find: Callable[[], Awaitable[T | None]]) -> T | None:
        """What the holder of the lease made; None if it left without a result.

        Raises:
            PapermeshError: why the holder's computation failed.
        """
        pause_s = _LOOK_FIRST_S
        while True:
            try:
                lease, failure = await self._link.call("MGET", _lease(key), _failure(holder))
            except (RedisAway, RedisRefused):
                return None
            if failure is not None:
                raise _failed(failure)
            if lease is None or bytes(lease).decode() != holder:
                return await find()
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LOOK_LAST_S)


def _failed(told: bytes) -> PapermeshError:
    fields = orjson.loads(told)
    violations = tuple(FieldViolation(**each) for each in fields["violations"])
    return PapermeshError(**fields | {"code": Code(fields["code"]), "violations": violations})


def _lease(key: str) -> str:
    return f"flight:{key}"


def _failure(token: str) -> str:
    return f"failed:{token}"
