"""Whose uploads are whose, with a real Redis and a real store."""

import asyncio
import hashlib
import itertools
import random
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.base.blob_folder import BlobFolder
from services.base.blobs import BlobStore, Namespace
from services.base.errors import Code, PapermeshError
from services.base.redis.link import RedisLink
from services.base.stored_blob import Key
from services.dispatch.admission import epoch
from services.dispatch.admission.clients import Client
from services.dispatch.admission.state import State, owner
from services.dispatch.admission.verification import Caller
from services.dispatch.uploads.deletion import deletion_key
from services.dispatch.uploads.ownership import LEAST_CHARGE_BYTES, Ownership, Quota
from tests.support.clients import REPORTS_ID, REPORTS_KEY
from tests.support.redis_server import RedisServer

QUOTA = Quota(1_000_000, 20)

_numbers = itertools.count()


def caller(client: str = "reports", actor: str = "kim", **quota: int) -> Caller:
    entry = Client.model_validate(
        {
            "id": client,
            "keys": [{"id": "k", "secret": REPORTS_KEY.secret.hex()[:43]}],
            "certificate": REPORTS_ID,
            **quota,
        }
    )
    return Caller(entry, actor, f"nonce-{next(_numbers):016}", int(time.time()))


class Document:
    """A file that may be uploaded."""

    def __init__(self, folder: Path, size: int, seed: int = 0) -> None:
        content = random.Random(seed * 1000 + size).randbytes(size)  # noqa: S311 - test data, the same in each run
        self.size = size
        self.sha256 = hashlib.sha256(content).hexdigest()
        self.path = folder / self.sha256
        self.path.write_bytes(content)


@pytest.fixture
def document(tmp_path: Path) -> Callable[..., Document]:
    folder = tmp_path / "documents"
    folder.mkdir()

    def make(size: int, seed: int = 0) -> Document:
        return Document(folder, size, seed)

    return make


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(f"file://{tmp_path}/blobs")


@pytest.fixture
def ownership(link: RedisLink, blobs: BlobStore) -> Ownership:
    return Ownership(link, blobs, QUOTA)


async def store(ownership: Ownership, who: Caller, document: Document) -> None:
    await ownership.check_room(who, document.sha256, document.size)
    await ownership.store(who, document.sha256, document.size, document.path)


async def has_bytes(blobs: BlobStore, document: Document) -> bool:
    try:
        return await blobs.size(Namespace.UPLOADS, document.sha256) == document.size
    except PapermeshError as error:
        assert error.details == {"reason": "stored_document_missing"}  # noqa: PT017 - any other is a failure of the test
        return False


async def refusal(ownership: Ownership, who: Caller, document: Document) -> PapermeshError:
    with pytest.raises(PapermeshError) as caught:
        await store(ownership, who, document)
    return caught.value


class TestAnUpload:
    async def test_is_its_uploaders_alone(
        self, ownership: Ownership, state: State, document: Callable[..., Document]
    ) -> None:
        mine = document(10)
        await store(ownership, caller(actor="kim"), mine)
        assert await state.admit(caller(actor="kim"), [], [mine.sha256]) == [True]
        for other in (caller(actor="lee"), caller("adapter", "kim")):
            assert await state.admit(other, [], [mine.sha256]) == [False]

    async def test_goes_with_its_last_owner(
        self, ownership: Ownership, blobs: BlobStore, state: State, document: Callable[..., Document]
    ) -> None:
        shared = document(10)
        for actor in ("kim", "lee"):
            await store(ownership, caller(actor=actor), shared)
        await ownership.release(caller(actor="kim"), shared.sha256)
        assert await has_bytes(blobs, shared)
        assert await state.admit(caller(actor="kim"), [], [shared.sha256]) == [False]
        assert await state.admit(caller(actor="lee"), [], [shared.sha256]) == [True]
        await ownership.release(caller(actor="lee"), shared.sha256)
        assert not await has_bytes(blobs, shared)

    async def test_that_was_deleted_may_come_again_at_once(
        self, ownership: Ownership, blobs: BlobStore, document: Callable[..., Document]
    ) -> None:
        mine = document(10)
        for _ in range(3):
            await store(ownership, caller(), mine)
            assert await has_bytes(blobs, mine)
            await ownership.release(caller(), mine.sha256)
            assert not await has_bytes(blobs, mine)

    async def test_is_deleted_by_none_but_an_owner(
        self, ownership: Ownership, blobs: BlobStore, document: Callable[..., Document]
    ) -> None:
        mine = document(10)
        await store(ownership, caller(actor="kim"), mine)
        for other in (caller(actor="lee"), caller("adapter", "kim")):
            with pytest.raises(PapermeshError) as caught:
                await ownership.release(other, mine.sha256)
            assert caught.value.code is Code.NOT_FOUND
        assert await has_bytes(blobs, mine)

    async def test_that_is_deleted_leaves_nothing_for_ever(
        self, ownership: Ownership, redis_server: RedisServer, document: Callable[..., Document]
    ) -> None:
        mine = document(10)
        await store(ownership, caller(), mine)
        await ownership.release(caller(), mine.sha256)
        with redis_server.admin() as admin:
            assert {key.decode() for key in admin.keys("*")} == {deletion_key(mine.sha256), epoch.KEY}
            assert admin.ttl(deletion_key(mine.sha256)) > 0

    async def test_waits_for_a_deletion_and_says_so_when_that_takes_long(
        self, ownership: Ownership, link: RedisLink, blobs: BlobStore, document: Callable[..., Document]
    ) -> None:
        mine = document(10)
        await link.call("SET", deletion_key(mine.sha256), "now:another")
        error = await refusal(ownership, caller(), mine)
        assert (error.code, error.retry_after_ms) == (Code.UNAVAILABLE, 1000)
        upload = asyncio.create_task(store(ownership, caller(), mine))
        await link.call("SET", deletion_key(mine.sha256), "done:another")
        await upload
        assert await has_bytes(blobs, mine)


class TestAQuota:
    async def test_holds_for_all_actors_of_a_client_together(
        self, ownership: Ownership, document: Callable[..., Document]
    ) -> None:
        await store(ownership, caller(actor="kim"), document(600_000))
        await store(ownership, caller(actor="lee"), document(400_000))
        error = await refusal(ownership, caller(actor="choi"), document(1))
        assert error.code is Code.TOO_LARGE
        used = {"used_bytes": "1000000", "used_documents": "2"}
        assert error.details == {"quota_bytes": "1000000", "quota_documents": "20", **used}
        assert "quota of 1000000 bytes" in error.message
        assert "Delete documents" in error.message
        await store(ownership, caller("adapter"), document(1_000_000))  # another client has its own

    async def test_counts_the_same_bytes_once_for_each_owner(
        self, ownership: Ownership, document: Callable[..., Document]
    ) -> None:
        large = document(500_000)
        for _ in range(3):
            await store(ownership, caller(actor="kim"), large)
        await store(ownership, caller(actor="lee"), large)
        assert (await refusal(ownership, caller(actor="lee"), document(1))).details["used_bytes"] == "1000000"
        await store(ownership, caller(actor="lee"), large)  # what is held needs no room

    async def test_has_room_again_after_a_deletion(
        self, ownership: Ownership, document: Callable[..., Document]
    ) -> None:
        first, second = document(1_000_000), document(999_000)
        await store(ownership, caller(), first)
        assert (await refusal(ownership, caller(), second)).code is Code.TOO_LARGE
        await ownership.release(caller(), first.sha256)
        await store(ownership, caller(), second)

    async def test_may_be_a_clients_own(self, ownership: Ownership, document: Callable[..., Document]) -> None:
        await store(ownership, caller(quota_bytes=2_000_000), document(1_500_000))
        assert (await refusal(ownership, caller("adapter", quota_bytes=0), document(1))).details["quota_bytes"] == "0"

    async def test_counts_a_small_document_as_one_of_64_kib(
        self, ownership: Ownership, document: Callable[..., Document]
    ) -> None:
        for seed in range(1_000_000 // LEAST_CHARGE_BYTES):
            await store(ownership, caller(), document(10, seed))
        error = await refusal(ownership, caller(), document(11))
        assert (error.code, error.details["used_documents"]) == (Code.TOO_LARGE, "15")
        await ownership.release(caller(), document(10, 0).sha256)
        await store(ownership, caller(), document(11))

    @pytest.mark.parametrize(("own", "documents"), [({}, 20), ({"quota_documents": 2}, 2), ({"quota_documents": 0}, 0)])
    async def test_counts_documents_too_of_all_actors_together(
        self, ownership: Ownership, document: Callable[..., Document], own: dict[str, int], documents: int
    ) -> None:
        def person(number: int) -> Caller:
            return caller(actor=f"a{number % 3}", quota_bytes=10**9, **own)

        for number in range(documents):
            await store(ownership, person(number), document(10, number))
        error = await refusal(ownership, person(0), document(11))
        assert (error.code, error.details["quota_documents"]) == (Code.TOO_LARGE, str(documents))
        if documents:
            await store(ownership, person(0), document(10, 0))  # what is held needs no room
            await ownership.release(person(0), document(10, 0).sha256)
            await store(ownership, person(1), document(11))

    async def test_is_not_overrun_by_uploads_at_once(
        self, ownership: Ownership, blobs: BlobStore, document: Callable[..., Document]
    ) -> None:
        many = [document(300_000, seed) for seed in range(8)]
        outcomes = await asyncio.gather(
            *(store(ownership, caller(actor=f"a{n}"), each) for n, each in enumerate(many)), return_exceptions=True
        )
        refused = [each for each in outcomes if isinstance(each, PapermeshError)]
        assert [each.code for each in refused] == [Code.TOO_LARGE] * 5
        assert sum([await has_bytes(blobs, each) for each in many]) == 3  # what was refused left no bytes

    @given(steps=st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.integers(0, 4)), max_size=40))
    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
    async def test_is_used_by_exactly_what_is_held(
        self, link: RedisLink, redis_server: RedisServer, tmp_path: Path, steps: list[tuple[bool, int, int]]
    ) -> None:
        blobs = BlobStore(f"file://{tmp_path}/{next(_numbers)}")
        ownership = Ownership(link, blobs, QUOTA)
        with redis_server.admin() as admin:
            admin.flushall()
            people = [caller(client, actor) for client in ("reports", "adapter") for actor in ("kim", "lee")]
            documents = [Document(tmp_path, size, 7) for size in (100_000, 200_000, 300_000, 400_000, 500_000)]
            held: set[tuple[int, int]] = set()

            def used(client: str) -> int:
                return sum(documents[which].size for who, which in held if people[who].client.id == client)

            for stores, who, which in steps:
                person, chosen = people[who], documents[which]
                if stores:
                    fits = (who, which) in held or used(person.client.id) + chosen.size <= QUOTA.bytes
                    try:
                        await store(ownership, person, chosen)
                    except PapermeshError as error:
                        assert (error.code, fits) == (Code.TOO_LARGE, False)  # noqa: PT017 - one of two outcomes
                    else:
                        assert fits
                        held.add((who, which))
                else:
                    try:
                        await ownership.release(person, chosen.sha256)
                    except PapermeshError as error:
                        assert (error.code, (who, which) in held) == (Code.NOT_FOUND, False)  # noqa: PT017 - as above
                    else:
                        held.remove((who, which))
            for client in ("reports", "adapter"):
                assert int(admin.get(f"held:{client}") or 0) == used(client)
                assert int(admin.get(f"documents:{client}") or 0) == sum(
                    people[who].client.id == client for who, _ in held
                )
            for which, each in enumerate(documents):
                owners = {owner(people[who]).encode() for who, what in held if what == which}
                assert set(admin.hgetall(f"holders:{each.sha256}")) == owners
                assert await has_bytes(blobs, each) == bool(owners)


class JitteryFolder(BlobFolder):
    """The folder with a pause after it has looked for a blob: what it found may be over by then."""

    def __init__(self, root: Path, dice: random.Random) -> None:
        super().__init__(root)
        self._dice = dice

    def _holds(self, key: Key, path: Path) -> bool:
        found = super()._holds(key, path)
        time.sleep(self._dice.choice([0, 0, 0.001, 0.004]))
        return found


class Jittery(BlobStore):
    """The store with pauses around what it does, so that everybody's steps fall between everybody else's."""

    def __init__(self, url: str, seed: int) -> None:
        super().__init__(url)
        self._dice = random.Random(seed)  # noqa: S311 - test data, the same in each run
        self._store = JitteryFolder(Path(url.removeprefix("file://")), self._dice)

    async def put(self, namespace: Namespace, sha256: str, source: Path) -> None:
        await self._pause()
        await super().put(namespace, sha256, source)
        await self._pause()

    async def delete(self, namespace: Namespace, sha256: str) -> None:
        await self._pause()
        await super().delete(namespace, sha256)
        await self._pause()

    async def _pause(self) -> None:
        await asyncio.sleep(self._dice.choice([0, 0, 0.001, 0.004]))


@pytest.fixture
async def replicas(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[list[Ownership]]:
    links = [RedisLink(redis_server.url) for _ in range(2)]
    yield [
        Ownership(link, Jittery(f"file://{tmp_path}/blobs", seed), Quota(10**9, 10**6))
        for seed, link in enumerate(links)
    ]
    for link in links:
        await link.close()


async def test_a_deletion_never_takes_the_bytes_of_an_upload_at_the_same_time(
    replicas: list[Ownership], blobs: BlobStore, redis_server: RedisServer, document: Callable[..., Document]
) -> None:
    documents = [document(1000, seed) for seed in range(3)]
    stored = gone = 0

    async def person(number: int) -> None:
        nonlocal stored, gone
        dice = random.Random(number)  # noqa: S311 - test data, the same in each run
        who = caller(actor=f"a{number}")
        for _ in range(40):
            ownership, chosen = dice.choice(replicas), dice.choice(documents)
            try:
                await ownership.store(who, chosen.sha256, chosen.size, chosen.path)
            except PapermeshError as error:
                assert error.code is Code.UNAVAILABLE  # noqa: PT017 - other people's deletions came five times between
                continue
            stored += 1
            assert await has_bytes(blobs, chosen), "an owner has no bytes"
            await asyncio.sleep(dice.choice([0, 0.002]))
            assert await has_bytes(blobs, chosen), "an owner's bytes were taken"
            await ownership.release(who, chosen.sha256)
            gone += not await has_bytes(blobs, chosen)

    await asyncio.gather(*map(person, range(8)))
    assert stored > 250
    assert gone > 25, "the test had hardly a deletion in it"
    with redis_server.admin() as admin:
        assert not admin.keys("holders:*")
        assert not admin.exists("held:reports", "documents:reports", "used", "erasing")
    assert [blob async for blob in blobs.list(Namespace.UPLOADS)] == []


class TestWithoutRedisOrStore:
    async def test_uploads_and_deletions_are_refused(
        self, ownership: Ownership, redis_server: RedisServer, document: Callable[..., Document]
    ) -> None:
        mine = document(10)
        await store(ownership, caller(), mine)
        redis_server.stop()
        for attempt in (
            ownership.check_room(caller(), mine.sha256, 1),
            ownership.store(caller(), mine.sha256, 10, mine.path),
            ownership.release(caller(), mine.sha256),
        ):
            with pytest.raises(PapermeshError) as caught:
                await attempt
            assert caught.value.code is Code.UNAVAILABLE

    async def test_that_cannot_delete_an_upload_is_nobodys_and_its_bytes_go_later(
        self, link: RedisLink, tmp_path: Path, document: Callable[..., Document]
    ) -> None:
        class Stuck(BlobStore):
            async def delete(self, namespace: Namespace, sha256: str) -> None:
                raise PapermeshError(Code.UNAVAILABLE, f"{namespace} {sha256[:2]} cannot be reached")

        mine = document(10)
        ownership = Ownership(link, Stuck(f"file://{tmp_path}/blobs"), QUOTA)
        await store(ownership, caller(), mine)
        await ownership.release(caller(), mine.sha256)
        assert await link.call("ZRANGE", "erasing", 0, -1) == [mine.sha256.encode()]
        assert await link.call("HLEN", f"holders:{mine.sha256}") == 0
