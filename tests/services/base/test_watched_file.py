import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from services.base.watched_file import WatchedFile

EVERY_S = 0.01
LIMIT_S = 5


class WrongError(Exception):
    """What the file says is wrong."""


def read(path: Path) -> str:
    """The word in the file."""
    try:
        return str(json.loads(path.read_bytes())["word"])
    except (ValueError, LookupError, TypeError):
        raise WrongError("it holds no word") from None


def write(path: Path, word: str) -> None:
    """Writes beside the file and renames, as careful programs do."""
    new = path.with_name("new")
    new.write_text(json.dumps({"word": word}))
    new.replace(path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file.json"
    write(path, "one")
    return path


@pytest.fixture
def errors(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """The errors that were logged since it was asked last."""

    def since() -> list[str]:
        found = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
        caplog.clear()
        return found

    return since


@asynccontextmanager
async def watching(file: Path, read: Callable[[Path], str] = read) -> AsyncIterator[WatchedFile[str]]:
    watched = WatchedFile(file, read, EVERY_S)
    task = asyncio.create_task(watched.watch())
    try:
        yield watched
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled(), "nothing but its cancellation ended the watch"


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not condition():  # noqa: ASYNC110  # what happens to a file sets no event here
            await asyncio.sleep(EVERY_S)


class CountedReader:
    """Reads, and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, path: Path) -> str:
        self.times += 1
        return read(path)

    async def more(self, times: int) -> None:
        """Waits until it was used that many more times."""
        wanted = self.times + times
        await until(lambda: self.times >= wanted)


def test_the_first_value_is_read_at_once(file: Path) -> None:
    assert WatchedFile(file, read).value == "one"


def test_a_file_that_is_missing_at_first_is_the_reader_s_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        WatchedFile(tmp_path / "none", read)


def test_a_file_that_is_wrong_at_first_is_the_reader_s_error(file: Path) -> None:
    file.write_text("{}")
    with pytest.raises(WrongError):
        WatchedFile(file, read)


async def test_a_file_that_is_renamed_over_it_is_read(file: Path) -> None:
    async with watching(file) as watched:
        for word in ("two", "three", "four"):
            write(file, word)
            await until(lambda word=word: watched.value == word)


async def test_a_file_that_is_written_in_place_is_read(file: Path) -> None:
    async with watching(file) as watched:
        file.write_text('{"word": "two"}')
        await until(lambda: watched.value == "two")


async def test_a_change_that_left_no_trace_in_stat_is_found(file: Path) -> None:
    """As when a file is written twice, in one length, within a tick of the file system's clock."""
    words = iter(("one", "two"))

    def says_more_than_stat(path: Path) -> str:
        return next(words, read(path).replace("one", "two"))

    async with watching(file, says_more_than_stat) as watched:
        assert watched.value == "one"
        await until(lambda: watched.value == "two")


async def test_a_file_that_stays_the_same_is_read_no_more(file: Path) -> None:
    reader = CountedReader()
    async with watching(file, reader):
        await reader.more(1)
        looks = 0

        def several_looks() -> bool:
            nonlocal looks
            looks += 1
            return looks > 20

        await until(several_looks)
        assert reader.times == 2, "once at first, and once more for what could have come in the same tick"


async def test_the_value_is_the_same_object_until_the_file_says_something_else(file: Path) -> None:
    reader = CountedReader()
    async with watching(file, reader) as watched:
        first = watched.value
        write(file, "one")
        await reader.more(2)
        assert watched.value is first


async def test_a_link_above_the_file_that_is_exchanged_is_seen(tmp_path: Path) -> None:
    """As the kubelet changes a mounted Secret."""
    for version in ("one", "two"):
        (tmp_path / f"..{version}").mkdir()
        write(tmp_path / f"..{version}" / "file.json", version)
    data = tmp_path / "..data"
    data.symlink_to("..one")
    file = tmp_path / "file.json"
    file.symlink_to("..data/file.json")
    async with watching(file) as watched:
        assert watched.value == "one"
        new = tmp_path / "..data_tmp"
        new.symlink_to("..two")
        new.replace(data)
        await until(lambda: watched.value == "two")


async def test_a_file_caught_half_written_keeps_the_last_value_and_is_read_when_it_is_whole(
    file: Path, errors: Callable[[], list[str]]
) -> None:
    reader = CountedReader()
    async with watching(file, reader) as watched:
        with file.open("w") as half:
            half.write('{"word": "tw')
            half.flush()
            await reader.more(3)
            assert watched.value == "one"
            half.write('o"}')
        await until(lambda: watched.value == "two")
    assert errors()


async def test_a_file_that_is_deleted_keeps_the_last_value_and_is_read_when_it_returns(
    file: Path, errors: Callable[[], list[str]]
) -> None:
    reader = CountedReader()
    async with watching(file, reader) as watched:
        file.unlink()
        await reader.more(5)
        assert watched.value == "one"
        assert errors() == [f"{file} cannot be used. The last good content stays in force: No such file or directory"]
        write(file, "two")
        await until(lambda: watched.value == "two")
        assert errors() == []


async def test_a_file_that_returns_as_it_was_is_good_again(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    reader = CountedReader()
    async with watching(file, reader) as watched:
        kept = file.with_name("kept")
        file.rename(kept)
        await reader.more(2)
        kept.rename(file)
        await until(lambda: "was read again" in caplog.text)
        assert watched.value == "one"


async def test_a_change_that_is_wrong_is_logged_once_and_without_what_the_file_holds(
    file: Path, errors: Callable[[], list[str]]
) -> None:
    reader = CountedReader()
    async with watching(file, reader) as watched:
        await reader.more(1)
        for change in ('{"secret": "s3cr3t"}', '{"secret": "another s3cr3t"}'):
            file.write_text(change)
            await reader.more(5)
            told = errors()
            # Writing in place is two changes, the emptying and the writing; the watch may see one or both.
            assert 1 <= len(told) <= 2
            kept = f"{file} cannot be used. The last good content stays in force: it holds no word"
            assert all(line == kept for line in told)
            assert watched.value == "one"


async def test_a_reading_that_failed_by_chance_is_tried_again_though_the_file_did_not_change(
    file: Path, errors: Callable[[], list[str]]
) -> None:
    failures = [OSError(5, "Input/output error"), ValueError()]

    def unlucky(path: Path) -> str:
        word = read(path)
        if word == "two" and failures:
            raise failures.pop(0)
        return word

    async with watching(file, unlucky) as watched:
        write(file, "two")
        await until(lambda: watched.value == "two")
    assert errors() == [f"{file} cannot be used. The last good content stays in force: Input/output error"]


async def test_an_error_without_words_is_named_by_its_kind(file: Path, errors: Callable[[], list[str]]) -> None:
    def silent(path: Path) -> str:
        if read(path) == "two":
            raise WrongError
        return "one"

    async with watching(file, silent):
        write(file, "two")
        found: list[str] = []
        await until(lambda: found.extend(errors()) or found)
    assert found == [f"{file} cannot be used. The last good content stays in force: WrongError"]
