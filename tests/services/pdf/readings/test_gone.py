"""No reading outlives its document, here, in other replicas and in the store."""

import asyncio
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from services.base.blobs import BlobStore, Namespace
from services.base.stored_blob import Key
from services.pdf.readings import readings as module
from tests.services.pdf.readings.conftest import MakeReadings, stored
from tests.support.disks import files_in

pytestmark = pytest.mark.measures_time

PAGES = {1: b"first page", 2: b"second page"}
OCR = "ocr-kor+eng"


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - a file that goes sets no event
            await asyncio.sleep(0.01)


async def test_every_replica_forgets_a_document_that_is_gone(
    replica: MakeReadings, blobs: BlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_EVERY_S", 0.05)
    document, other = await stored(blobs, tmp_path), await stored(blobs, tmp_path)
    async with replica("one") as one, replica("two") as two:
        await one.keep(document, OCR, PAGES, shared=True)
        await one.keep(other, "words", PAGES, shared=False)
        await two.find(document, [1, 2], OCR)
        assert [len(files_in(tmp_path / name)) for name in ("one", "two")] == [4, 2]
        await blobs.delete(*document)
        await until(lambda: not files_in(tmp_path / "two") and len(files_in(tmp_path / "one")) == 2)
        async with asyncio.timeout(10):
            while await blobs.readings.names(document):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)
        assert await one.find(document, [1, 2], OCR) == await two.find(document, [1, 2], OCR) == {}
        assert await one.find(other, [1, 2], "words") == PAGES
        assert not [folder for folder in tmp_path.glob("*/uploads/*") if document.sha256 in folder.name]


async def test_what_was_deleted_while_a_replica_was_down_is_forgotten_when_it_starts(
    replica: MakeReadings, blobs: BlobStore, tmp_path: Path
) -> None:
    document = await stored(blobs, tmp_path)
    async with replica() as readings:
        await readings.keep(document, "words", PAGES, shared=False)
    await blobs.delete(*document)
    async with replica():
        await until(lambda: not files_in(tmp_path / "one"))


async def test_recognition_that_ends_after_the_deletion_leaves_nothing(
    replica: MakeReadings, blobs: BlobStore, tmp_path: Path
) -> None:
    document = await stored(blobs, tmp_path)
    async with replica() as readings:
        await blobs.delete(*document)
        await blobs.readings.delete(document)
        await readings.keep(document, OCR, PAGES, shared=True)
        assert await blobs.readings.names(document) == {}
        assert files_in(tmp_path / "one") == []


async def test_a_page_that_is_kept_after_the_deletion_is_gone_with_the_next_sweep(
    replica: MakeReadings, blobs: BlobStore, tmp_path: Path
) -> None:
    document = await stored(blobs, tmp_path)
    async with replica() as readings:
        await blobs.delete(*document)
        await readings.sweep()
        await readings.keep(document, "words", PAGES, shared=False)
        # As when the process was killed before it looked whether the document is there.
        await blobs.readings.put(document, "engine/ocr/1", b"x")
        await readings.sweep()
        assert files_in(tmp_path / "one") == []
        assert await blobs.readings.names(document) == {}


async def test_a_store_that_has_just_failed_is_asked_to_forget_nevertheless(
    replica: MakeReadings, blobs: BlobStore, tmp_path: Path
) -> None:
    document = await stored(blobs, tmp_path)
    async with replica() as readings:
        await readings.keep(document, OCR, PAGES, shared=True)
        await blobs.delete(*document)
        readings._shared._rests_until = float("inf")
        await readings.sweep()
        assert await blobs.readings.names(document) == {}


async def test_more_documents_than_are_asked_about_at_once_are_all_looked_for(
    replica: MakeReadings, blobs: BlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ASKED_AT_ONCE", 2)
    documents = [await stored(blobs, tmp_path) for _ in range(5)]
    async with replica() as readings:
        for each in documents:
            await readings.keep(each, "words", {1: b"x"}, shared=False)
        for each in documents[1:]:
            await blobs.delete(*each)
        await readings.sweep()
        assert [file.parts[-4] for file in files_in(tmp_path / "one")] == [documents[0].sha256]


async def test_documents_of_both_namespaces_are_looked_for_in_their_own(
    replica: MakeReadings, blobs: BlobStore, tmp_path: Path
) -> None:
    upload, gitlab = await stored(blobs, tmp_path), await stored(blobs, tmp_path, Namespace.GITLAB)
    async with replica() as readings:
        for each in (upload, gitlab, Key(Namespace.GITLAB, upload.sha256)):
            await readings.keep(each, "words", PAGES, shared=False)
        await readings.sweep()
        assert {file.parts[-4] for file in files_in(tmp_path / "one")} == {upload.sha256, gitlab.sha256}
        assert len(files_in(tmp_path / "one")) == 4


async def test_a_store_that_is_away_takes_nothing_from_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "_EVERY_S", 0.05)
    blobs = BlobStore(f"file://{tmp_path}/blobs")
    document = await stored(blobs, tmp_path)
    async with module.Readings(tmp_path / "one", blobs, "engine", 10**7) as readings:
        await readings.keep(document, "words", PAGES, shared=False)
        (tmp_path / "blobs").rename(tmp_path / "elsewhere")
        await until(lambda: "does not say which documents are gone" in caplog.text)
        assert await readings.find(document, [1, 2], "words") == PAGES
        (tmp_path / "elsewhere").rename(tmp_path / "blobs")
        await blobs.delete(*document)
        await until(lambda: not files_in(tmp_path / "one"))


async def test_the_sweep_goes_on_after_a_bug(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "_EVERY_S", 0.05)
    blobs = BlobStore(f"file://{tmp_path}/blobs")
    document = await stored(blobs, tmp_path)
    async with module.Readings(tmp_path / "one", blobs, "engine", 10**7) as readings:
        await readings.keep(document, "words", PAGES, shared=False)
        await blobs.delete(*document)
        with monkeypatch.context() as patch:
            patch.setattr(blobs, "missing", None)
            await until(lambda: "A bug in the sweep of readings" in caplog.text)
            assert files_in(tmp_path / "one")
        await until(lambda: not files_in(tmp_path / "one"))


async def test_thousands_of_documents_are_looked_for_in_a_few_hundred_requests(
    s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = BlobStore(s3)
    there = await stored(blobs, tmp_path)
    asked: list[str] = []
    original = type(blobs._store)._missing_in  # type: ignore[union-attr]  # a bucket

    async def counting(self: object, folder: str, digests: set[str]) -> set[str]:
        asked.append(folder)
        return await original(self, folder, digests)  # type: ignore[arg-type]  # as above

    monkeypatch.setattr(type(blobs._store), "_missing_in", counting)
    digests = {secrets.token_hex(32) for _ in range(2000)}
    assert await blobs.missing(Namespace.UPLOADS, {there.sha256, *digests}) == digests
    assert len(asked) <= 256


def test_it_takes_less_than_a_minute() -> None:
    assert module._EVERY_S + module._SWEEP_S < 60
