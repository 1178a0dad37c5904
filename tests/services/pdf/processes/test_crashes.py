"""What the log tells of workers that die, and what it does not."""

import logging
import signal
from collections.abc import Callable, Coroutine
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from services.base.errors import PapermeshError
from services.pdf.processes import crashes
from services.pdf.processes.crashes import Crashes

pytestmark = pytest.mark.measures_time

Ask = Callable[..., Coroutine[Any, Any, Any]]
MakePool = Callable[..., Any]
MakePdf = Callable[..., Path]


FAILURES = {"crash": ("crash", "SIGSEGV"), "devour": ("memory", ""), "blunder": ("crash", "")}
"""Reason and signal by what a worker does."""


def told(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """The fields of the lines at error level that say what happened to a document."""
    return [record.fields for record in caplog.records if record.levelno == logging.ERROR and hasattr(record, "fields")]


@pytest.mark.parametrize("operation", FAILURES)
async def test_a_worker_that_fails_leaves_a_line_that_tells_which_call_it_was(
    make_pool: MakePool, ask: Ask, make_pdf: MakePdf, caplog: pytest.LogCaptureFixture, operation: str
) -> None:
    reason, by = FAILURES[operation]
    source = make_pdf("Words of the document.", name="name-of-the-document.pdf")
    async with make_pool(memory_bytes=256 << 20) as pool:
        with pytest.raises(PapermeshError):
            await ask(pool, operation, source=source, request_id="0b1e", seconds=60)
    digest = sha256(source.read_bytes()).hexdigest()
    assert told(caplog) == [
        {"operation": operation, "reason": reason, "signal": by, "digest": digest[:8], "request_id": "0b1e"}
    ]
    for words in ("Words of the document", "name-of-the-document", digest):
        assert words not in caplog.text


async def test_a_crash_that_one_document_repeats_is_told_once_and_then_how_often(
    make_pool: MakePool, ask: Ask, make_pdf: MakePdf, caplog: pytest.LogCaptureFixture
) -> None:
    one, other = make_pdf("One.", name="one.pdf"), make_pdf("Other.", name="other.pdf")
    async with make_pool() as pool:
        for source in (one, one, other, one):
            with pytest.raises(PapermeshError):
                await ask(pool, "crash", source=source)
        assert [fields["digest"] for fields in told(caplog)] == [
            sha256(source.read_bytes()).hexdigest()[:8] for source in (one, other)
        ]
    (repeated,) = (fields for fields in told(caplog) if "repeats" in fields)
    assert (repeated["digest"], repeated["repeats"]) == (sha256(one.read_bytes()).hexdigest()[:8], 2)


def test_what_was_told_is_remembered_of_so_many_documents_only(caplog: pytest.LogCaptureFixture) -> None:
    told_once = Crashes()
    for number in range(crashes._REMEMBERED + 1):
        told_once.tell(f"{number:064}", "text", "crash", status=signal.SIGSEGV)
    assert len(told_once._told) == crashes._REMEMBERED
    told_once.tell(f"{0:064}", "text", "crash", status=signal.SIGSEGV)
    assert len(told(caplog)) == crashes._REMEMBERED + 2, "the first was forgotten, and is told again"


@pytest.mark.parametrize("said", ["words of the document", "ValueError at x.py:1\nwords", "x" * 999, ["words"], None])
async def test_a_worker_cannot_write_into_the_log(
    make_pool: MakePool, ask: Ask, caplog: pytest.LogCaptureFixture, said: Any
) -> None:
    async with make_pool() as pool:
        with pytest.raises(PapermeshError):
            await ask(pool, "forge", header={"crash": said or "words"})
    assert "words" not in caplog.text
    assert "xxx" not in caplog.text
    assert len(told(caplog)) == 1
