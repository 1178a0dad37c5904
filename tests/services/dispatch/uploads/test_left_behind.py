"""What each call leaves behind in the state role, measured in a real Redis, and whether that could fill it."""

import hashlib
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from deploy.local.redis_server import configuration
from services.base import actions
from services.base.actions import Rate
from services.base.audit_chain import Head
from services.base.blobs import BlobStore
from services.base.redis.link import RedisLink
from services.dispatch.admission import state
from services.dispatch.admission.clients import Client
from services.dispatch.admission.replay_log import ReplayLog
from services.dispatch.admission.state import Bucket, State, owner
from services.dispatch.admission.verification import Caller
from services.dispatch.answers import idempotency
from services.dispatch.answers.idempotency import Idempotency, KeyedCall
from services.dispatch.answers.stored_answers import StoredAnswers
from services.dispatch.audit.audit import Heads
from services.dispatch.memory_pressure import SOFT_LIMIT
from services.dispatch.settings import DispatchSettings
from services.dispatch.uploads import deletion
from services.dispatch.uploads.ownership import Ownership, Quota
from tests.support.clients import REPORTS_ID, REPORTS_KEY
from tests.support.redis_server import RedisServer

MANY = 100
"""So often each is done: then what is there once counts little."""

BESIDES = 96
"""Bytes of a key that MEMORY USAGE does not count: two places in tables that may be half empty, and when it ends."""

SECONDS_OF_ENVOY = 200
"""Calls a second that Envoy lets pass of one client (docs/rates.md); each leaves a nonce, admitted or not."""


@dataclass(frozen=True)
class Left:
    """What something leaves behind in Redis, in bytes with all that belongs to it, when all names are the longest."""

    bytes: int
    for_s: float


DOCUMENTS_S = 30 * 86_400.0
LEFT = {
    "a call": Left(400, state.NONCE_KEPT_S),
    "a bucket": Left(1_700, 60),
    "a document": Left(2_000, DOCUMENTS_S),
    "a deletion": Left(300, deletion._REMEMBERED_S),
    "an idempotency key": Left(2_200, idempotency.KEPT_S),
    "an audit log": Left(350, 400 * 86_400.0),
}
"""The one place of these numbers; docs/rates.md shows them."""


class Longest:
    """Does everything in the longest names: 128 characters of a client, 256 of an actor, 64 of a nonce."""

    def __init__(self, link: RedisLink, folder: Path) -> None:
        self._link = link
        self._client = Client.model_validate(
            {
                "id": "c" * 128,
                "keys": [{"id": "k", "secret": REPORTS_KEY.secret.hex()[:43]}],
                "certificate": REPORTS_ID,
                "acts_for": True,
            }
        )
        self._folder = folder
        self._state = State(link, ReplayLog(), 1)
        blobs = BlobStore(f"file://{folder}/blobs")
        self._ownership = Ownership(link, blobs, Quota(10**12, 10**6))
        self._idempotency = Idempotency(link, ReplayLog(), StoredAnswers(blobs, folder))

    def caller(self, number: int) -> Caller:
        return Caller(self._client, f"{number:06}{'𠀀' * 250}", secrets.token_hex(32), int(time.time()))

    async def call(self, number: int, *buckets: Bucket) -> None:
        await self._state.admit(self.caller(number), buckets)

    async def limited_call(self, number: int) -> None:
        await self.call(number, Bucket(f"{owner(self.caller(number))}\x1fGITLAB_GUIDE_STATUS", Rate(1, 1)))

    async def upload(self, number: int) -> str:
        path = self._folder / "document"
        path.write_bytes(content := b"%%PDF-%d" % number)
        sha256 = hashlib.sha256(content).hexdigest()
        await self._ownership.store(self.caller(number), sha256, len(content), path)
        return sha256

    async def upload_and_delete(self, number: int) -> None:
        await self._ownership.release(self.caller(number), await self.upload(number))

    async def use_a_key(self, number: int) -> None:
        async def answer() -> str:
            return secrets.token_hex(1000)  # 1 KiB compressed, the most that stays in Redis

        who = owner(self.caller(number))
        asked = KeyedCall(self._client.id, who, "GITLAB_GUIDE", secrets.token_hex(64), b"{}", repeatable=True)
        await self._idempotency.once(asked, answer)

    async def write_an_audit_log(self, number: int) -> None:
        chain = f"{'r' * 63}-20261121T000000Z-{number:08x}"
        await Heads(self._link, keep_days=400).put(chain, Head(10**9, b"m" * 32))


@pytest.fixture
def longest(link: RedisLink, tmp_path: Path) -> Longest:
    return Longest(link, tmp_path)


@pytest.fixture
def admin(redis_server: RedisServer) -> Iterator[redis.Redis]:
    with redis_server.admin() as admin:
        yield admin


async def left_by(act: Callable[[int], Awaitable[object]], admin: redis.Redis) -> float:
    """The bytes by which Redis has grown each time."""
    await act(0)  # what is there once: scripts, counters
    before = held(admin)
    for number in range(1, MANY + 1):
        await act(number)
    return (held(admin) - before) / MANY


def held(admin: redis.Redis) -> int:
    """The bytes that all keys take; `used_memory` holds what connections take besides, which comes and goes."""
    return sum(admin.memory_usage(key, samples=0) + BESIDES for key in admin.keys("*"))


@pytest.mark.parametrize(
    ("what", "act", "besides"),
    [
        ("a call", Longest.call, None),
        ("a bucket", Longest.limited_call, "a call"),
        ("a document", Longest.upload, None),
        ("a deletion", Longest.upload_and_delete, None),
        ("an idempotency key", Longest.use_a_key, None),
        ("an audit log", Longest.write_an_audit_log, None),
    ],
)
async def test_what_is_left_behind_is_no_more_than_is_said(
    longest: Longest,
    admin: redis.Redis,
    what: str,
    act: Callable[[Longest, int], Awaitable[object]],
    besides: str | None,
) -> None:
    measured = await left_by(lambda number: act(longest, number), admin)
    said = LEFT[what].bytes + (LEFT[besides].bytes if besides else 0)
    print(f"{what}: {measured:.0f} of {said} bytes")  # noqa: T201 - the figures of docs/rates.md
    assert said / 3 < measured < said


async def test_all_that_is_left_behind_is_known(longest: Longest, admin: redis.Redis) -> None:
    for act in (longest.limited_call, longest.upload_and_delete, longest.upload, longest.use_a_key):
        await act(1)
    await longest.write_an_audit_log(1)
    ends = {key.decode().partition(":")[0]: admin.ttl(key) for key in admin.keys("*")}
    stays = {name for name, ttl in ends.items() if ttl < 0}
    assert stays == {"epoch", "holders", "held", "documents", "used", "uploads"}, (
        "as long as a document is held, or one for all"
    )
    limits = {
        "nonce": LEFT["a call"].for_s,
        "bucket": LEFT["a bucket"].for_s,
        "deletion": LEFT["a deletion"].for_s,
        "idempotency": LEFT["an idempotency key"].for_s,
        "idempotency-budget": LEFT["an idempotency key"].for_s,
        "audit": LEFT["an audit log"].for_s,
    }
    assert {name for name in ends if name not in stays} == set(limits)
    assert all(ends[name] <= limit for name, limit in limits.items())


def memory() -> int:
    """What the state role may hold as it is shipped, in bytes."""
    configured = dict(line.split(" ", 1) for line in configuration("state", Path("s"), Path("d")).splitlines() if line)
    return int(configured["maxmemory"].removesuffix("mb")) * 1024 * 1024


def most_left_by(*, deletions_a_minute: float, keys_a_day: float, buckets: float) -> float:
    """The most that somebody who does nothing else leaves behind within these rates, in bytes."""
    documents = DispatchSettings.model_fields["quota_documents"].default
    numbers = {
        "a call": SECONDS_OF_ENVOY * LEFT["a call"].for_s,
        "a bucket": buckets,
        "a document": documents,
        "a deletion": deletions_a_minute * LEFT["a deletion"].for_s / 60,
        "an idempotency key": 2 * keys_a_day,  # at the end of one day's budget and at the beginning of the next
    }
    return sum(LEFT[what].bytes * number for what, number in numbers.items())


def test_no_actor_within_its_rates_and_quota_fills_two_fifths() -> None:
    table = actions.load()
    delete = table.methods["/papermesh.dispatch.v1.DispatchService/DeleteDocument"].rate
    assert delete is not None
    most = most_left_by(
        deletions_a_minute=delete.requests_per_minute + delete.burst,
        keys_a_day=idempotency.OWNER_BUDGET_BYTES / idempotency.RECORD_BYTES,
        buckets=len(table.actions) + len(table.methods),
    )
    print(f"an actor: {most / memory():.0%}")  # noqa: T201 - a figure of docs/rates.md
    assert most < 0.4 * memory()


def test_no_client_with_all_its_actors_fills_two_thirds_so_that_uploads_are_not_refused() -> None:
    calls_a_minute = DispatchSettings.model_fields["client_requests_per_minute"].default
    most = most_left_by(
        deletions_a_minute=calls_a_minute / 2,  # each needs an upload
        keys_a_day=idempotency.CLIENT_BUDGET_BYTES / idempotency.RECORD_BYTES,
        buckets=calls_a_minute / 60,  # of an actor invented for each call, full again within a second
    )
    print(f"a client: {most / memory():.0%}")  # noqa: T201 - as above
    assert most < 2 / 3 * memory() < SOFT_LIMIT * memory()
