"""What becomes of workers that cannot lock themselves in."""

import os
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from services.pdf.processes.kinds import View
from services.pdf.processes.zygote import ZygoteError
from tests.services.pdf import refusing
from tests.services.pdf.support import VIEWS

Ask = Callable[..., Coroutine[Any, Any, Any]]
MakePool = Callable[..., Any]
Until = Callable[[Callable[[], object]], Awaitable[None]]

REFUSING = {**VIEWS, "refusing": View(f"{refusing.__name__}:describe")}


@pytest.fixture
def lacking() -> Iterator[Callable[[str], Path]]:
    """Has the kernel lack "landlock" or "filter" for workers that start from now on, until the file is removed."""
    with ExitStack() as files:

        def lack(what: str) -> Path:
            file = refusing.lacking(what, os.getpid())
            file.touch()
            files.callback(file.unlink, missing_ok=True)
            return file

        yield lack


async def test_without_landlock_nothing_starts_and_one_sentence_says_how_it_could(
    make_pool: MakePool, lacking: Callable[[str], Path]
) -> None:
    lacking("landlock")
    with pytest.raises(ZygoteError) as error:
        async with make_pool(size=2, views=REFUSING):
            pass
    sentence = str(error.value)
    assert "Landlock" in sentence
    assert "5.13" in sentence
    assert "PAPERMESH_PDF_WITHOUT_LANDLOCK=true" in sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")
    assert ". " not in sentence


async def test_without_landlock_workers_start_when_that_is_allowed_and_a_warning_says_so(
    make_pool: MakePool, ask: Ask, lacking: Callable[[str], Path], caplog: pytest.LogCaptureFixture
) -> None:
    lacking("landlock")
    async with make_pool(size=2, views=REFUSING, without_landlock=True) as pool:
        assert (await ask(pool, "count"))["pages"] == 1
    assert caplog.text.count("no Landlock") == 1


async def test_allowing_to_do_without_landlock_takes_none_from_a_kernel_that_has_it(
    make_pool: MakePool, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    async with make_pool(without_landlock=True) as pool:
        assert (await ask(pool, "count"))["pages"] == 1
    assert "no Landlock" not in caplog.text


async def test_the_step_that_failed_is_told_at_the_start(make_pool: MakePool, lacking: Callable[[str], Path]) -> None:
    lacking("filter")
    with pytest.raises(ZygoteError, match=r"the system call filter: \[Errno 22\] Invalid argument\.$"):
        async with make_pool(size=2, views=REFUSING):
            pass


async def test_the_step_that_failed_is_logged_later_until_workers_start_again(
    make_pool: MakePool, ask: Ask, until: Until, lacking: Callable[[str], Path], caplog: pytest.LogCaptureFixture
) -> None:
    async with make_pool(views=REFUSING) as pool:
        reason = lacking("filter")
        os.kill(next(iter(pool._supervisor.by_pid)), signal.SIGKILL)
        await until(lambda: "the system call filter: [Errno 22] Invalid argument" in caplog.text)
        reason.unlink()
        assert (await ask(pool, "count"))["pages"] == 1
        assert pool.restarts == {"crash": 1}
