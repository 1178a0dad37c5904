"""Reports of comparisons, in a folder and in a bucket."""

import secrets
import time
from hashlib import sha256
from pathlib import Path

import pytest

from services.base import reports
from services.base.blobs import BlobStore, Namespace
from services.base.report_id import ReportId
from services.base.reports import Reports
from services.base.stored_blob import Key

COMPARISON = {"mode": "text"}


@pytest.fixture
async def documents(store: BlobStore, tmp_path: Path) -> list[Key]:
    """Two documents in the store."""
    keys = []
    for _ in range(2):
        content = secrets.token_bytes(32)
        (tmp_path / "document").write_bytes(content)
        await store.put(Namespace.UPLOADS, digest := sha256(content).hexdigest(), tmp_path / "document")
        keys.append(Key(Namespace.UPLOADS, digest))
    return keys


def report(documents: list[Key], made_from: bytes = b"") -> ReportId:
    return ReportId.make(b"k" * 32, *documents, made_from)


class TestEveryStore:
    async def test_gives_back_what_it_got(self, store: BlobStore, documents: list[Key]) -> None:
        kept, made = Reports(store), report(documents)
        assert (await kept.use(made), await kept.page(made)) == (None, None)
        assert await kept.put(made, COMPARISON)
        await kept.put_page(made, b"page")
        assert (await kept.use(made), await kept.page(made)) == (COMPARISON, b"page")
        assert await kept.use(report(documents, b"another")) is None

    async def test_tells_a_page_that_is_not_whole(self, store: BlobStore, documents: list[Key]) -> None:
        made = report(documents)
        await Reports(store).put_page(made, b"page")
        await store.reports.put(documents[0], f"page/{made.name}", b"d" * 32 + b"pa")
        assert await Reports(store).page(made) is None

    @pytest.mark.parametrize("side", [0, 1])
    async def test_keeps_none_of_a_document_that_has_gone(
        self, store: BlobStore, documents: list[Key], side: int
    ) -> None:
        await store.delete(*documents[side])
        assert not await Reports(store).put(report(documents), COMPARISON)
        await Reports(store).put_page(report(documents), b"page")
        assert [await store.reports.names(each) for each in documents] == [{}, {}]

    @pytest.mark.parametrize("side", [0, 1])
    async def test_forgets_a_report_with_either_document(
        self, store: BlobStore, documents: list[Key], side: int
    ) -> None:
        kept, made = Reports(store), report(documents)
        other = ReportId.make(b"k" * 32, documents[1 - side], documents[1 - side], b"")
        for each in (made, other):
            await kept.put(each, COMPARISON)
            await kept.put_page(each, b"page")
        await kept.forget(documents[side])
        assert (await kept.use(made), await kept.page(made)) == (None, None)
        assert (await kept.use(other), await kept.page(other)) == (COMPARISON, b"page")

    async def test_lists_those_of_a_later_document_that_are_there(self, store: BlobStore, documents: list[Key]) -> None:
        kept, made, gone = Reports(store), report(documents), report(documents, b"gone")
        for each in (made, gone):
            await kept.put(each, COMPARISON)
        await store.reports.remove(documents[0], f"record/{gone.name}")
        assert [each async for each, _ in kept.of(documents[1])] == [made]
        assert [each async for each, _ in kept.of(documents[0])] == []

    async def test_makes_room_for_new_ones(
        self, store: BlobStore, documents: list[Key], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reports, "MOST_KEPT", 2)
        monkeypatch.setattr(reports, "MOST_RECORDS", 4)
        for number in range(6):
            made = report(documents, b"%d" % number)
            await Reports(store).put(made, COMPARISON)
            await Reports(store).put_page(made, b"page")
        names = await store.reports.names(documents[0])
        assert sum(name.startswith("page/") for name in names) == 2
        assert sum(name.startswith("record/") for name in names) == 4

    async def test_forgets_old_pages_and_older_reports(self, store: BlobStore, documents: list[Key]) -> None:
        kept, made, soon = Reports(store), report(documents), time.time() + 100
        await kept.put(made, COMPARISON)
        await kept.put_page(made, b"page")
        await kept.forget_old(documents[0], 0, soon)
        assert (await kept.use(made), await kept.page(made)) == (COMPARISON, None)
        for each in documents:
            await kept.forget_old(each, soon, soon)
        assert [await store.reports.names(each) for each in documents] == [{}, {}]
