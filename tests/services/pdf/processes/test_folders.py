"""The folders of workers, from before a worker to after its end."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from services.pdf.processes.folders import PATTERN, Folders


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Folders]:
    return lambda kind="ocr", wanted=True: Folders(tmp_path / "work", kind, wanted=wanted)


def there(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "work").glob(PATTERN))


def test_each_is_new_and_for_this_user_alone_even_where_the_work_folder_has_vanished(
    make: Callable[..., Folders], tmp_path: Path
) -> None:
    folders = [make("ocr"), make("other")]
    made = {folder.make() for folder in folders for _ in range(2)}
    assert {str(path) for path in there(tmp_path)} == made
    assert {path.stat().st_mode & 0o777 for path in there(tmp_path)} == {0o700}


def test_its_path_holds_wherever_a_process_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Path(Folders(Path("work"), "ocr", wanted=True).make()).is_absolute()


def test_it_goes_with_what_is_in_it_when_its_worker_has_ended(make: Callable[..., Folders], tmp_path: Path) -> None:
    folders = make()
    first, second = folders.make(), folders.make()
    Path(first, "own").write_bytes(b"x")
    folders.give(first, 1)
    folders.give(second, 2)
    folders.take_from(1)
    folders.take_from(3)
    assert [str(path) for path in there(tmp_path)] == [second]
    Path(second).rmdir()
    folders.take_from(2)


def test_a_kind_that_needs_none_gets_none(make: Callable[..., Folders], tmp_path: Path) -> None:
    folders = make(wanted=False)
    assert folders.make() == ""
    folders.give("", 1)
    folders.take_from(1)
    assert there(tmp_path) == []


async def test_all_go_once_nothing_is_in_the_way(
    make: Callable[..., Folders], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = make()
    folders.make()
    removing = monkeypatch.context()
    with removing as patched:
        patched.setattr("shutil.rmtree", busy)
        waiting = asyncio.create_task(folders.remove_all())
        await asyncio.sleep(0)
        assert len(there(tmp_path)) == 1
    await waiting
    assert there(tmp_path) == []


def busy(_folder: str) -> None:
    raise OSError("somebody writes there")
