"""What is kept is found again, exactly or not at all, over restarts and by other replicas."""

import asyncio
import os
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.base.blobs import BlobStore, Namespace
from services.base.stored_blob import Key
from services.pdf.readings import shared
from services.pdf.readings.entry import MAX_BYTES
from services.pdf.readings.readings import Readings
from tests.services.pdf.readings.conftest import MakeReadings, stored
from tests.support.disks import files_in, fill, needs_root, small_disk

PAGES = {1: b"first page", 2: b"", 7: bytes(100_000)}
OCR = "ocr-kor+eng"


async def test_what_is_kept_is_found(replica: MakeReadings, blobs: BlobStore, tmp_path: Path) -> None:
    document = await stored(blobs, tmp_path)
    async with replica() as readings:
        assert await readings.find(document, [1, 2, 7], "words") == {}
        await readings.keep(document, "words", PAGES, shared=False)
        assert await readings.find(document, [1, 2, 3, 7], "words") == PAGES
        assert await readings.find(document, [2], "words", shared=False) == {2: b""}


async def test_kinds_and_documents_are_apart(replica: MakeReadings, blobs: BlobStore, tmp_path: Path) -> None:
    document = await stored(blobs, tmp_path)
    same_bytes = Key(Namespace.GITLAB, document.sha256)
    async with replica() as readings:
        await readings.keep(document, "words", PAGES, shared=False)
        assert await readings.find(document, [1], "words2") == {}
        assert await readings.find(same_bytes, [1], "words") == {}


async def test_they_are_found_after_a_restart(replica: MakeReadings, blobs: BlobStore, tmp_path: Path) -> None:
    document = await stored(blobs, tmp_path)
    async with replica() as readings:
        await readings.keep(document, "words", PAGES, shared=False)
    async with replica() as readings:
        assert await readings.find(document, [1, 2, 7], "words", shared=False) == PAGES


async def test_recognised_pages_are_found_by_every_replica(
    replica: MakeReadings, blobs: BlobStore, tmp_path: Path
) -> None:
    document = await stored(blobs, tmp_path)
    async with replica("one") as one, replica("two") as two:
        await one.keep(document, OCR, PAGES, shared=True)
        await one.keep(document, "words", PAGES, shared=False)
        assert await two.find(document, [1, 2, 3, 7], OCR) == PAGES
        assert await two.find(document, [1, 2, 7], OCR, shared=False) == PAGES, "and kept there from then on"
        assert await two.find(document, [1], "words") == {}


async def test_another_engine_finds_nothing_and_clears_away(
    replica: MakeReadings, blobs: BlobStore, tmp_path: Path
) -> None:
    document = await stored(blobs, tmp_path)
    async with replica(engine="pdf-1") as readings:
        await readings.keep(document, OCR, PAGES, shared=True)
    async with replica(engine="pdf-2") as readings:
        assert await readings.find(document, [1, 2, 7], OCR) == {}
        assert files_in(tmp_path / "one") == []
        await readings.keep(document, OCR, {1: b"anew"}, shared=True)
        assert await readings.find(document, [1, 2, 7], OCR) == {1: b"anew"}
    assert len(await blobs.readings.names(document)) == 4, "a replica of the old engine may still be at work"


async def test_an_older_engines_readings_in_the_store_go_when_new_ones_come(
    replica: MakeReadings, blobs: BlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = await stored(blobs, tmp_path)
    async with replica(engine="pdf-1") as readings:
        await readings.keep(document, OCR, PAGES, shared=True)
    monkeypatch.setattr(shared, "_OLD_S", -60)
    async with replica(engine="pdf-2") as readings:
        await readings.keep(document, OCR, {1: b"anew"}, shared=True)
        assert len(await blobs.readings.names(document)) == 1
        assert await readings.find(document, [1], OCR) == {1: b"anew"}


@given(
    kept=st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 4), st.binary(max_size=30)), max_size=12),
    asked=st.lists(st.integers(1, 5), max_size=6),
    how=st.sampled_from([("on", True), ("on", False), ("restarted", False), ("elsewhere", True)]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_exactly_what_was_kept_is_found_or_nothing(
    tmp_path: Path, kept: list[tuple[str, int, bytes]], asked: list[int], how: tuple[str, bool]
) -> None:
    shutil.rmtree(tmp_path)
    tmp_path.mkdir()

    async def check() -> None:
        blobs = BlobStore(f"file://{tmp_path}/blobs")
        document = await stored(blobs, tmp_path)
        where, is_shared = how
        async with Readings(tmp_path / "one", blobs, "engine", 10**7) as readings:
            for kind, page, content in kept:
                await readings.keep(document, kind, {page: content}, shared=is_shared)
            last = {(kind, page): content for kind, page, content in kept}
            if where == "on":
                found = {kind: await readings.find(document, asked, kind) for kind in "ab"}
        if where != "on":
            folder = tmp_path / ("one" if where == "restarted" else "two")
            async with Readings(folder, blobs, "engine", 10**7) as readings:
                found = {kind: await readings.find(document, asked, kind) for kind in "ab"}
        for kind in "ab":
            assert found[kind] == {page: last[kind, page] for page in asked if (kind, page) in last}

    asyncio.run(check())


async def test_many_keep_and_find_at_once(replica: MakeReadings, blobs: BlobStore, tmp_path: Path) -> None:
    documents = [await stored(blobs, tmp_path) for _ in range(5)]
    async with replica() as readings:

        async def keep_and_find(number: int) -> None:
            document = documents[number % 5]
            page = number % 7
            content = f"{document.sha256} {page}".encode() * 100
            await readings.keep(document, OCR, {page: content}, shared=number % 3 == 0)
            assert await readings.find(document, [page], OCR) == {page: content}

        await asyncio.gather(*map(keep_and_find, range(70)))


async def test_what_a_caller_who_leaves_has_begun_to_keep_is_kept(
    replica: MakeReadings, blobs: BlobStore, tmp_path: Path
) -> None:
    document = await stored(blobs, tmp_path)
    async with replica() as readings:
        keeping = asyncio.create_task(readings.keep(document, OCR, PAGES, shared=True))
        await asyncio.sleep(0)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
    async with replica("two") as other:
        assert await other.find(document, [1, 2, 7], OCR) == PAGES


async def test_a_page_that_is_huge_is_not_kept(replica: MakeReadings, blobs: BlobStore, tmp_path: Path) -> None:
    document = await stored(blobs, tmp_path)
    async with replica() as readings:
        await readings.keep(document, OCR, {1: bytes(MAX_BYTES + 1), 2: b"small"}, shared=True)
        assert await readings.find(document, [1, 2], OCR) == {2: b"small"}
        assert len(await blobs.readings.names(document)) == 1


async def test_so_much_is_found_at_once(replica: MakeReadings, blobs: BlobStore, tmp_path: Path) -> None:
    document = await stored(blobs, tmp_path)
    async with replica("one") as one, replica("two") as two:
        await one.keep(document, OCR, dict.fromkeys(range(6), bytes(MAX_BYTES)), shared=True)
        for readings in (two, one):
            assert list(await readings.find(document, range(6), OCR)) == [0, 1, 2, 3]
        assert list(await one.find(document, [4, 5], OCR)) == [4, 5]


@pytest.mark.parametrize("kind", ["", "../words", "a/b", ".", "words\n", "w" * 101])
async def test_what_cannot_be_part_of_a_path_is_no_kind(replica: MakeReadings, kind: str) -> None:
    document = Key(Namespace.UPLOADS, "ab" * 32)
    with pytest.raises(ValueError, match="no kind of reading"):
        await replica().find(document, [1], kind)
    with pytest.raises(ValueError, match="no kind of reading"):
        await replica().keep(document, kind, PAGES, shared=False)


async def test_without_room_only_shared_pages_are_kept(replica: MakeReadings, blobs: BlobStore, tmp_path: Path) -> None:
    document = await stored(blobs, tmp_path)
    async with replica(limit_bytes=0) as readings:
        await readings.keep(document, "words", PAGES, shared=False)
        assert await readings.find(document, [1, 2, 7], "words") == {}
        await readings.keep(document, OCR, PAGES, shared=True)
        assert await readings.find(document, [1, 2, 7], OCR) == PAGES
    assert files_in(tmp_path / "one") == []


async def test_a_folder_that_vanished_is_made_again(replica: MakeReadings, blobs: BlobStore, tmp_path: Path) -> None:
    document = await stored(blobs, tmp_path)
    async with replica() as readings:
        await readings.keep(document, "words", PAGES, shared=False)
        shutil.rmtree(tmp_path / "one")
        assert await readings.find(document, [1], "words") == {}
        await readings.keep(document, "words", PAGES, shared=False)
        assert await readings.find(document, [1, 2, 7], "words") == PAGES


def test_files_are_the_owners_alone(tmp_path: Path) -> None:
    async def keep() -> None:
        blobs = BlobStore(f"file://{tmp_path}/blobs")
        async with Readings(tmp_path / "one", blobs, "engine", 10**7) as readings:
            await readings.keep(await stored(blobs, tmp_path), "words", PAGES, shared=True)

    before = os.umask(0)
    try:
        asyncio.run(keep())
    finally:
        os.umask(before)
    for folder in (tmp_path / "one", tmp_path / "blobs" / "readings"):
        modes = {each.is_dir(): each.stat().st_mode & 0o777 for each in (folder, *folder.rglob("*"))}
        assert modes == {True: 0o700, False: 0o600}


class TestWhatIsNotWhole:
    """An entry that is read again, and removed, wherever it is."""

    @pytest.mark.parametrize("how", ["cut", "emptied", "flipped", "extended", "huge", "another's"])
    async def test_is_never_found_on_the_disk(
        self, replica: MakeReadings, blobs: BlobStore, tmp_path: Path, how: str
    ) -> None:
        document = await stored(blobs, tmp_path)
        async with replica() as readings:
            await readings.keep(document, "words", PAGES, shared=False)
            [file] = [each for each in files_in(tmp_path / "one") if each.name == "7"]
            content = file.read_bytes()
            match how:
                case "cut":
                    os.truncate(file, len(content) // 2)
                case "emptied":
                    os.truncate(file, 0)
                case "flipped":
                    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
                case "extended":
                    file.write_bytes(content + b"\0")
                case "huge":
                    os.truncate(file, 10**11)
                case "another's":
                    file.write_bytes(file.with_name("1").read_bytes())
            assert await readings.find(document, [1, 2, 7], "words") == {1: PAGES[1], 2: PAGES[2]}
            assert not file.exists()
            await readings.keep(document, "words", {7: b"read again"}, shared=False)
            assert await readings.find(document, [7], "words") == {7: b"read again"}

    async def test_is_never_found_in_the_store(self, replica: MakeReadings, blobs: BlobStore, tmp_path: Path) -> None:
        document, other = await stored(blobs, tmp_path), await stored(blobs, tmp_path)
        async with replica("one") as one, replica("two") as two:
            await one.keep(document, OCR, PAGES, shared=True)
            names = sorted(await blobs.readings.names(document))
            first = await blobs.readings.get(document, names[0], 10**6)
            assert first
            await blobs.readings.put(document, names[1], first)
            await blobs.readings.put(document, names[2], b"")
            await blobs.readings.put(other, names[0], first)
            assert await two.find(document, [1, 2, 7], OCR) == {1: PAGES[1]}
            assert await two.find(other, [1, 2, 7], OCR) == {}
            assert list(await blobs.readings.names(document)) == names[:1]

    async def test_is_removed_at_the_start_if_it_is_half_written(
        self, replica: MakeReadings, blobs: BlobStore, tmp_path: Path
    ) -> None:
        document = await stored(blobs, tmp_path)
        async with replica() as readings:
            await readings.keep(document, "words", PAGES, shared=False)
        [file] = [each for each in files_in(tmp_path / "one") if each.name == "7"]
        file.with_name("7#0123abcd").write_bytes(b"hal")
        async with replica() as readings:
            assert [each.name for each in files_in(tmp_path / "one")] == ["1", "2", "7"]
            assert await readings.find(document, [1, 2, 7], "words") == PAGES


@contextmanager
def small_files(limit_bytes: int) -> Iterator[None]:
    """Lets this process write no file of more bytes for as long as the block lasts."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


class TestADiskThatFails:
    """It costs speed, and one line of the log."""

    @needs_root
    async def test_because_it_is_full(
        self, tmp_path: Path, replica: MakeReadings, blobs: BlobStore, caplog: pytest.LogCaptureFixture
    ) -> None:
        document = await stored(blobs, tmp_path)
        (tmp_path / "one").mkdir()
        with small_disk(tmp_path / "one", 1_000_000):
            filler = fill(tmp_path / "one")
            async with replica() as readings:
                for _ in range(3):
                    await readings.keep(document, OCR, PAGES, shared=True)
                    assert await readings.find(document, [1, 2, 7], OCR) == PAGES, "from the store"
                assert files_in(tmp_path / "one") == [filler]
                assert caplog.text.count("cannot be kept") == 1
                filler.unlink()
                await readings.keep(document, OCR, PAGES, shared=True)
                assert await readings.find(document, [1, 2, 7], OCR, shared=False) == PAGES
                assert caplog.text.count("can be kept in") == 1

    async def test_in_the_middle_of_a_file(self, tmp_path: Path, replica: MakeReadings, blobs: BlobStore) -> None:
        document, noise = await stored(blobs, tmp_path), os.urandom(50_000)
        async with replica() as readings:
            with small_files(8192):
                await readings.keep(document, "words", {1: b"small", 2: noise}, shared=False)
            assert await readings.find(document, [1, 2], "words") == {1: b"small"}
            assert [file.name for file in files_in(tmp_path / "one")] == ["1"]

    async def test_because_something_else_is_where_the_folder_should_be(
        self, tmp_path: Path, replica: MakeReadings, blobs: BlobStore, caplog: pytest.LogCaptureFixture
    ) -> None:
        document = await stored(blobs, tmp_path)
        (tmp_path / "one").write_text("no folder")
        async with replica() as readings:
            for _ in range(3):
                await readings.keep(document, "words", PAGES, shared=False)
                assert await readings.find(document, [1], "words") == {}
            await readings.forget(document)
        assert caplog.text.count("cannot be kept") == 1


async def test_a_store_that_fails_costs_speed_and_is_let_alone_for_a_while(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blobs = BlobStore(f"file://{tmp_path}/blobs")
    document = await stored(blobs, tmp_path)
    async with Readings(tmp_path / "one", blobs, "engine", 10**7) as readings:
        (tmp_path / "blobs").rename(tmp_path / "elsewhere")
        for _ in range(3):
            await readings.keep(document, OCR, PAGES, shared=True)
            assert await readings.find(document, [1, 2, 7], OCR) == PAGES
        assert await readings.find(document, [3], OCR) == {}
        assert caplog.text.count("Readings are not shared for a minute") == 1
        (tmp_path / "elsewhere").rename(tmp_path / "blobs")
        readings._shared._rests_until = 0
        await readings.keep(document, OCR, PAGES, shared=True)
        assert len(await blobs.readings.names(document)) == 3
