"""What the disk takes is bounded, and what nobody has asked about for longest goes first."""

import os
import secrets
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.base.blobs import Namespace
from services.base.stored_blob import Key
from services.pdf.readings import disk
from services.pdf.readings.disk import DiskReadings, full_name
from services.pdf.readings.entry import pack
from tests.services.pdf.readings.conftest import MIB
from tests.support.disks import files_in

ENGINE, KIND = "0123456789abcdef", "words"


def document() -> Key:
    return Key(Namespace.UPLOADS, secrets.token_hex(32))


def entry(of: Key, page: int, content: bytes) -> bytes:
    return pack(full_name(of, f"{ENGINE}/{KIND}/{page}"), content)


def keep(room: DiskReadings, of: Key, page: int = 1, size: int = 10_000) -> None:
    room.keep(of, KIND, {page: entry(of, page, os.urandom(size))})


def there(room: DiskReadings, of: Key) -> bool:
    return bool(room.find(of, KIND, [1], MIB))


def test_the_document_not_asked_about_for_longest_goes_first(tmp_path: Path) -> None:
    room = DiskReadings(tmp_path, ENGINE, 115_000)
    documents = [document() for _ in range(5)]
    for each in documents[:4]:
        keep(room, each)
    assert there(room, documents[0])
    keep(room, documents[4])
    assert [there(room, each) for each in documents] == [True, False, True, True, True]
    assert not room.holds(documents[1])


def test_what_was_asked_about_last_is_known_after_a_restart(tmp_path: Path) -> None:
    room = DiskReadings(tmp_path, ENGINE, 150_000)
    first, second = document(), document()
    for number, each in enumerate((first, second)):
        keep(room, each)
        os.utime(room._files.folder(each), (number, number))
    assert there(room, first)
    room = DiskReadings(tmp_path, ENGINE, 150_000)
    room.open()
    assert room.documents() == [second, first]
    room = DiskReadings(tmp_path, ENGINE, 40_000)
    room.open()
    assert room.documents() == [first], "a smaller limit holds from the start"


def test_what_a_deletion_that_was_cut_off_left_goes_at_the_start(tmp_path: Path) -> None:
    room = DiskReadings(tmp_path, ENGINE, 150_000)
    first, second = document(), document()
    for each in (first, second):
        keep(room, each)
    folder = room._files.folder(first)
    folder.rename(folder.with_name(f"{folder.name}#"))
    room = DiskReadings(tmp_path, ENGINE, 150_000)
    room.open()
    assert room.documents() == [second]
    assert len(files_in(tmp_path)) == 1


def test_one_document_takes_a_quarter_of_the_room(tmp_path: Path) -> None:
    room = DiskReadings(tmp_path, ENGINE, 400_000)
    other, large = document(), document()
    keep(room, other)
    for page in range(1, 101):
        keep(room, large, page)
    assert there(room, other)
    assert 4 <= len(room.find(large, KIND, range(1, 101), MIB)) <= 8
    assert sum(file.stat().st_size for file in files_in(tmp_path)) < 200_000


def test_so_many_documents_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "MOST_DOCUMENTS", 3)
    room = DiskReadings(tmp_path, ENGINE, 10**9)
    documents = [document() for _ in range(5)]
    for each in documents:
        keep(room, each)
    assert room.documents() == documents[2:]
    assert len(files_in(tmp_path)) == 3


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["keep", "find", "forget", "reopen"]), st.integers(0, 4), st.integers(0, 9_000)),
        max_size=40,
    )
)
@settings(max_examples=30)
def test_it_never_takes_more_than_its_room_and_knows_what_it_takes(
    steps: list[tuple[str, int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, limit = tmp_path_factory.mktemp("room"), 100_000
    room = DiskReadings(folder, ENGINE, limit)
    documents = [document() for _ in range(5)]
    for step, number, size in steps:
        of = documents[number]
        match step:
            case "keep":
                keep(room, of, page=size % 3 + 1, size=size)
            case "find":
                room.find(of, KIND, [1, 2, 3], MIB)
            case "forget":
                room.forget(of)
            case "reopen":
                room = DiskReadings(folder, ENGINE, limit)
                room.open()
        assert sum(file.stat().st_blocks * 512 for file in files_in(folder)) <= room._total <= limit
        assert room._total == sum(room._held.values())
        again = DiskReadings(folder, ENGINE, limit)
        again.open()
        assert again._held.keys() == room._held.keys()
        assert again._total == room._total
