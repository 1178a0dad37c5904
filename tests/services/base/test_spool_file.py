"""Where something waits until it is complete: what the disk refuses is ours, and said as soon as it does."""

import os
from pathlib import Path

import pytest

from services.base.errors import Code, PapermeshError
from services.base.spool_file import spool_file
from tests.support.disks import fill, needs_root, small_disk


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "spool"
    made.mkdir()
    return made


def refusal(folder: Path, content: bytes = b"", prefix: str = "") -> tuple[Code, str]:
    with pytest.raises(PapermeshError) as caught, spool_file(folder, prefix) as file:
        file.write(content)
    assert str(folder) not in str(caught.value)
    return caught.value.code, caught.value.details["reason"]


def test_it_gives_back_what_was_written(folder: Path) -> None:
    content = os.urandom(100_000)
    with spool_file(folder) as file:
        for start in range(0, len(content), 777):
            file.write(content[start : start + 777])
        file.rewind()
        assert file.read(50_000) + file.read(60_000) == content
        assert file.read(1) == b""


def test_without_a_prefix_it_has_no_name(folder: Path) -> None:
    with spool_file(folder) as file:
        file.write(b"1")
        assert not list(folder.iterdir())


def test_with_a_prefix_it_has_one_until_it_ends(folder: Path) -> None:
    with spool_file(folder, "upload-") as file:
        file.write(b"1")
        assert list(folder.iterdir()) == [file.path]
        assert file.path.name.startswith("upload-")
        assert file.path.read_bytes() == b"1", "nothing of it waits in memory"
    assert not list(folder.iterdir())


@pytest.mark.parametrize("prefix", ["", "upload-"])
def test_a_folder_that_vanished_is_made_again_for_its_owner_alone(folder: Path, prefix: str) -> None:
    folder.rmdir()
    with spool_file(folder, prefix) as file:
        file.write(b"1")
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("prefix", ["", "upload-"])
def test_a_folder_that_cannot_be_made_again_is_gone(folder: Path, prefix: str) -> None:
    assert refusal(folder / "below" / "it", prefix=prefix) == (Code.UNAVAILABLE, "spool_gone")
    (folder / "file").touch()
    assert refusal(folder / "file", prefix=prefix) == (Code.UNAVAILABLE, "spool_gone")


@needs_root
@pytest.mark.parametrize("prefix", ["", "upload-"])
def test_a_full_disk_is_ours_and_leaves_nothing_behind(folder: Path, prefix: str) -> None:
    with small_disk(folder, 200_000):
        assert refusal(folder, bytes(300_000), prefix) == (Code.UNAVAILABLE, "spool_full")
        assert not list(folder.iterdir())
        with spool_file(folder, prefix) as file:
            file.write(bytes(100_000))
        fill(folder)
        assert refusal(folder, b"1", prefix) == (Code.UNAVAILABLE, "spool_full")


def test_what_vanished_while_it_was_written_is_no_fault_of_anybody(folder: Path) -> None:
    with spool_file(folder, "upload-") as file:
        file.path.unlink()
        file.write(b"1")
