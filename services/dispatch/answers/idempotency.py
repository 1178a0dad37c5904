"""Idempotency keys: the same call again gets the stored answer, whatever became of the connection in between.

A record stands in Redis's state role for 24 hours, under the client, the actor, the action and the key. While the first
call runs, it holds a lease; later calls with the same key wait for it. An interrupted call without side effects simply
runs again. One with side effects goes on when its caller leaves, so that the caller can come back for the answer. If it
is interrupted all the same, nobody knows how far it got, and from then on the key answers CONFLICT.
"""

import asyncio
import hashlib
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files

from services.base.errors import NOTHING_DONE, Code, PapermeshError, bad_field
from services.base.names import MAX_IDEMPOTENCY_KEY, is_idempotency_key
from services.base.redis.link import Part, RedisAway, RedisLink, RedisRefused, Script
from services.dispatch.admission.replay_log import ReplayLog
from services.dispatch.admission.state import RedisNeeded
from services.dispatch.answers.stored_answers import StoredAnswers
from services.dispatch.memory_pressure import HOLDS_MORE_THAN, SOFT_LIMIT, state_full

KEPT_S = 24 * 3600
"""How long a key is remembered."""

RECORD_BYTES = 64 * 1024
"""The least that a record takes from a budget: Redis is smaller than the blob store, and everybody shares it."""

OWNER_BUDGET_BYTES = 2_000 * RECORD_BYTES
CLIENT_BUDGET_BYTES = 16_000 * RECORD_BYTES
"""What the records of one client and actor, and of one client, may take a day. In Redis, 16,000 take 40 MB."""

_LEASE_MS = 10_000
"""How long until a killed holder is noticed."""

_RENEW_S = 3.0
_LOOK_FIRST_S, _LOOK_LAST_S = 0.02, 0.25

_OPEN = HOLDS_MORE_THAN + files(__package__).joinpath("idempotency.lua").read_text()
_RESTORE = files(__package__).joinpath("idempotency_restore.lua").read_text()
_OURS = "if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end "
# What continues a record begins with EXPIRE, so that it works even if Redis is full (see memory_pressure.lua).
_GO_ON = f"{_OURS} redis.call('EXPIRE', KEYS[1], {KEPT_S}) "
_RENEW = f"{_GO_ON} local t = redis.call('TIME') return redis.call('HSET', KEYS[1], 'until', t[1] * 1000 + ARGV[2])"
_STORE = f"""{_GO_ON}
for i = 2, 3 do
  redis.call('INCRBY', KEYS[i], ARGV[3])
  if redis.call('TTL', KEYS[i]) < 0 then redis.call('EXPIRE', KEYS[i], {KEPT_S}) end
end
return redis.call('HSET', KEYS[1], 'done', ARGV[2])"""
_FORGET = f"{_OURS} return redis.call('DEL', KEYS[1])"
_GIVE_UP = f"{_GO_ON} return redis.call('HSET', KEYS[1], 'until', 0)"

_DID_NOTHING = frozenset(
    {Code.BAD_ARG, Code.UNAUTHENTICATED, Code.FORBIDDEN, Code.NOT_FOUND, Code.CONFLICT, Code.TOO_LARGE, Code.RATE_LIMIT}
)
"""Answers of a service that refused before doing anything."""


@dataclass(frozen=True, slots=True)
class KeyedCall:
    """A call with an idempotency key."""

    client: str
    owner: str
    """Client and actor."""

    action: str
    key: str
    args: bytes
    """Its arguments as canonical JSON."""

    repeatable: bool
    """The action has no side effects."""

    @property
    def digest(self) -> str:
        """The digest of its arguments."""
        return hashlib.sha256(self.args).hexdigest()

    @property
    def name(self) -> str:
        """Its record's Redis key. Hashed, since an idempotency key may be long, and is the caller's business."""
        text = f"{self.owner}\x1f{self.action}\x1f{self.key}".encode()
        return f"idempotency:{hashlib.sha256(text).hexdigest()}"

    @property
    def keys(self) -> list[str]:
        """The Redis keys of its record and of the budgets that it takes from."""
        # A client's id holds no separator of an owner, so the two kinds of budgets never meet.
        return [self.name, f"idempotency-budget:{self.owner}", f"idempotency-budget:{self.client}"]


def check_key(key: str) -> None:
    """Refuses anything but an idempotency key, or an empty text for none.

    Raises:
        PapermeshError: BAD_ARG.
    """
    if key and not is_idempotency_key(key):
        raise bad_field("idempotency_key", f"must be at most {MAX_IDEMPOTENCY_KEY} visible ASCII characters")


class Idempotency:
    """The records."""

    def __init__(self, link: RedisLink, replay_log: ReplayLog, answers: StoredAnswers) -> None:
        """Keeps records behind `link`, the state role, and large answers in `answers`.

        Args:
            link: The state role.
            replay_log: Remembers the records of side effects, in case Redis loses them.
            answers: Keeps the answers of calls.
        """
        self._replay_log = replay_log
        self._answers = answers
        self._going_on: set[asyncio.Task[str]] = set()
        self._open, self._renew, self._store, self._forget, self._give_up = (
            Script(link, text) for text in (_OPEN, _RENEW, _STORE, _FORGET, _GIVE_UP)
        )

    async def once(self, asked: KeyedCall, run: Callable[[], Awaitable[str]]) -> str:
        """The answer to a call: the stored one, or `run`'s, which is then stored.

        Raises:
            PapermeshError: CONFLICT when the key was used with other arguments, or by an interrupted call that may have
                taken effect; RATE_LIMIT when a day's keys take too much; UNAVAILABLE when Redis is away or has no room
                left; otherwise what `run` raises.
        """
        token = secrets.token_hex(16)
        pause_s = _LOOK_FIRST_S
        while True:
            found = await self._opened(asked, token)
            match found[0]:
                case b"new" if asked.repeatable:
                    return await self._run(asked, token, run)
                case b"new":
                    self._note(asked, token, _LEASE_MS)
                    return await self._run_to_the_end(asked, token, run)
                case b"done":
                    return await self._answers.load(found[1])
                case b"state_full":
                    raise state_full()
                case b"full":
                    raise _full(int(found[1]))
                case b"other":
                    raise PapermeshError(
                        Code.CONFLICT,
                        "This idempotency key was used with other arguments. Use a new key for a different call.",
                    )
                case b"interrupted":
                    raise PapermeshError(
                        Code.CONFLICT,
                        "The first call with this idempotency key ended without an answer, so it may have taken effect."
                        " Find out whether it did, then call with a new key.",
                        details={"outcome": "unknown"},
                    )
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LOOK_LAST_S)

    async def settle(self, limit_s: float) -> None:
        """Waits until the side effects under way have ended and their answers are stored."""
        if self._going_on:
            await asyncio.wait(self._going_on, timeout=limit_s)

    async def _opened(self, asked: KeyedCall, token: str) -> list[bytes]:
        with RedisNeeded():
            found: list[bytes] = await self._open.run(
                asked.keys,
                [
                    *(asked.digest, token, _LEASE_MS, KEPT_S, int(asked.repeatable)),
                    *(RECORD_BYTES, OWNER_BUDGET_BYTES, CLIENT_BUDGET_BYTES, SOFT_LIMIT),
                ],
            )
        return found

    async def _run_to_the_end(self, asked: KeyedCall, token: str, run: Callable[[], Awaitable[str]]) -> str:
        """Runs a side effect to its end, whether or not its caller stays."""
        task = asyncio.create_task(self._run(asked, token, run))
        self._going_on.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, task: asyncio.Task[str]) -> None:
        self._going_on.discard(task)
        if not task.cancelled():
            task.exception()  # when its caller has left, nobody asks for it

    async def _run(self, asked: KeyedCall, token: str, run: Callable[[], Awaitable[str]]) -> str:
        renewing = asyncio.create_task(self._keep(asked, token))
        try:
            answer = await run()
            stored = await self._answers.store(answer)
        except PapermeshError as error:
            await self._end(asked, token, did_nothing=_did_nothing(error))
            raise
        except BaseException:  # the caller has left, this process stops, or a bug of ours
            await asyncio.shield(self._end(asked, token, did_nothing=False))
            raise
        finally:
            renewing.cancel()
        self._note(asked, token, 0, stored.record)
        with RedisNeeded():
            await self._store.run(asked.keys, [token, stored.record, max(0, stored.size - RECORD_BYTES)])
        return answer

    async def _keep(self, asked: KeyedCall, token: str) -> None:
        while True:
            await asyncio.sleep(_RENEW_S)
            with suppress(RedisAway, RedisRefused):
                await self._renew.run([asked.name], [token, _LEASE_MS])

    async def _end(self, asked: KeyedCall, token: str, *, did_nothing: bool) -> None:
        """Ends a call without an answer. If that is safe, frees the key; otherwise the key says what happened."""
        is_free = did_nothing or asked.repeatable
        if is_free:
            self._replay_log.record(asked.name, "EVAL", _FORGET, 1, asked.name, token)
        else:
            self._note(asked, token, 0)
        with suppress(RedisAway, RedisRefused):  # the lease runs out by itself, and says the same
            await (self._forget if is_free else self._give_up).run([asked.name], [token])

    def _note(self, asked: KeyedCall, token: str, lease_ms: int, *answer: bytes) -> None:
        """Has the record of a side effect restored if Redis loses it. A read may simply run again."""
        if not asked.repeatable:
            record: list[Part] = [token, asked.digest, lease_ms, int(time.time()) + KEPT_S, *answer]
            self._replay_log.record(asked.name, "EVAL", _RESTORE, 1, asked.name, *record)


def _full(wait_ms: int) -> PapermeshError:
    return PapermeshError(
        Code.RATE_LIMIT,
        "This client or actor has used up a day's room for idempotency keys. Call without a key, or later.",
        retry_after_ms=max(1, wait_ms),
        details={"reason": "idempotency_keys"},
    )


def _did_nothing(error: PapermeshError) -> bool:
    return error.code in _DID_NOTHING or NOTHING_DONE.items() <= error.details.items()
