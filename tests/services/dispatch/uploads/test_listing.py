"""What a client and actor have uploaded, with a real Redis and a real store."""

from collections.abc import Callable
from hashlib import sha1
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.base.blobs import BlobStore
from services.base.errors import Code, PapermeshError
from services.base.redis.link import RedisLink
from services.dispatch.uploads.listing import Listing
from services.dispatch.uploads.ownership import LEAST_CHARGE_BYTES, Ownership, Quota
from services.dispatch.uploads.retention import Retention
from tests.services.dispatch.uploads.test_ownership import Document, caller, store

KIM, LEE = caller(), caller(actor="lee")


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(f"file://{tmp_path}/blobs")


@pytest.fixture
def ownership(link: RedisLink, blobs: BlobStore) -> Ownership:
    return Ownership(link, blobs, Quota(10**9, 1000))


@pytest.fixture
def document(tmp_path: Path) -> Callable[..., Document]:
    folder = tmp_path / "documents"
    folder.mkdir(exist_ok=True)
    return lambda size, seed=0: Document(folder, size, seed)


@pytest.fixture
def listing(link: RedisLink) -> Listing:
    return Listing(link)


async def listed(listing: Listing, who: object = KIM, size: int = 0, token: str = "") -> list[str]:
    """The digests on all pages, and no page too many."""
    found = []
    while True:
        page = await listing.page(who, size, token)  # type: ignore[arg-type]
        found += [each.sha256 for each in page.uploads]
        token = page.next_token
        if not token:
            return found
        assert len(page.uploads) == size


async def test_the_newest_come_first_with_what_they_count_and_when_they_were_used(
    ownership: Ownership, listing: Listing, document: Callable[..., Document]
) -> None:
    small, large = document(10), document(100_000)
    for each in (small, large):
        await store(ownership, KIM, each)
    first, second = (await listing.page(KIM, 0, "")).uploads
    assert (first.sha256, first.charge, second.sha256, second.charge) == (
        large.sha256,
        100_000,
        small.sha256,
        LEAST_CHARGE_BYTES,
    )
    assert 0 <= first.uploaded_ms - second.uploaded_ms < 60_000
    assert abs(first.used_s - first.uploaded_ms / 1000) < 2


async def test_nobody_sees_what_somebody_else_has(
    ownership: Ownership, listing: Listing, document: Callable[..., Document]
) -> None:
    mine, both = document(10), document(11)
    for who, what in ((KIM, mine), (KIM, both), (LEE, both)):
        await store(ownership, who, what)
    assert await listed(listing, LEE) == [both.sha256]
    assert await listed(listing, caller("adapter")) == []
    assert set(await listed(listing)) == {mine.sha256, both.sha256}


async def test_what_was_deleted_is_on_the_list_no_more(
    ownership: Ownership, listing: Listing, document: Callable[..., Document], link: RedisLink
) -> None:
    both = document(10)
    for who in (KIM, LEE):
        await store(ownership, who, both)
    await ownership.release(KIM, both.sha256)
    assert (await listed(listing), await listed(listing, LEE)) == ([], [both.sha256])
    await ownership.release(LEE, both.sha256)
    assert await link.call("KEYS", "uploads:*") == []


async def test_what_nobody_used_for_long_goes_from_every_list(
    ownership: Ownership, listing: Listing, document: Callable[..., Document], link: RedisLink, blobs: BlobStore
) -> None:
    both = document(10)
    for who in (KIM, LEE):
        await store(ownership, who, both)
    await link.call("ZADD", "used", 1, both.sha256)
    await Retention(link, blobs, 3600).sweep()
    assert (await listed(listing), await listed(listing, LEE)) == ([], [])
    assert await link.call("KEYS", "uploads:*") == []


async def test_the_same_upload_again_keeps_its_place(
    ownership: Ownership, listing: Listing, document: Callable[..., Document]
) -> None:
    old, new = document(10), document(11)
    for each in (old, new, old):
        await store(ownership, KIM, each)
    assert await listed(listing) == [new.sha256, old.sha256]


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(number=st.integers(0, 12), size=st.integers(1, 13))
async def test_pages_hold_everything_once(link: RedisLink, listing: Listing, number: int, size: int) -> None:
    """Also what came within a millisecond."""
    await link.call("FLUSHALL")
    digests = [f"{index:064x}" for index in range(number)]
    whose = "reports\x1fkim"
    key = f"uploads:{sha1(whose.encode(), usedforsecurity=False).hexdigest()}"
    for index, digest in enumerate(digests):
        await link.call("HSET", f"holders:{digest}", whose, 1)
        await link.call("ZADD", key, index // 3, digest)
    assert await listed(listing, size=size) == digests[::-1]


async def test_a_page_goes_on_where_the_last_one_ended_though_its_document_is_gone(
    ownership: Ownership, listing: Listing, document: Callable[..., Document]
) -> None:
    made = [document(10 + number) for number in range(4)]
    for each in made:
        await store(ownership, KIM, each)
    page = await listing.page(KIM, 2, "")
    await ownership.release(KIM, page.uploads[-1].sha256)
    rest = await listing.page(KIM, 2, page.next_token)
    assert {each.sha256 for each in rest.uploads} <= {each.sha256 for each in made[:2]}
    assert rest.uploads[-1].sha256 == made[0].sha256


@pytest.mark.parametrize(
    ("size", "token", "field"),
    [
        (-1, "", "page_size"),
        (1001, "", "page_size"),
        (1, "x", "page_token"),
        (1, f"{'9' * 17}-{'a' * 64}", "page_token"),
    ],
)
async def test_another_size_or_token_is_refused(listing: Listing, size: int, token: str, field: str) -> None:
    with pytest.raises(PapermeshError) as caught:
        await listing.page(KIM, size, token)
    assert caught.value.code is Code.BAD_ARG
    assert [each.field for each in caught.value.violations] == [field]
