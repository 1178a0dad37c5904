"""Pages as a worker reads them for the service."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.pdf.worker.mupdf import pymupdf
from services.pdf.worker.read import read_pages
from services.pdf.worker.words import from_bytes
from tests.services.pdf.support import open_path
from tests.services.pdf.viewing import read
from tests.services.pdf.worker.made_pages import KINDS

Pdf = Callable[..., Path]
ASKED = {"ranges": [], "most": 9, "spread": 9, "ocr": "never", "bytes": 1 << 20}


def test_each_page_has_its_reading_one_after_another(make_pdf: Pdf) -> None:
    header, content = read_pages(open_path(make_pdf("One.", "Two.", "Three.")), ASKED | {"ranges": [(1, 1), (3, 3)]})
    assert header["pages"] == 3
    (first, is_plain), (second, _) = header["found"]
    assert (from_bytes(content[:first]).text, from_bytes(content[first:]).text) == ("One.\n", "Three.\n")
    assert first + second == len(content)
    assert is_plain


def test_more_pages_than_one_worker_reads_are_only_counted(make_pdf: Pdf) -> None:
    assert read_pages(open_path(make_pdf(*"abc")), ASKED | {"spread": 2}) == ({"pages": 3}, b"")


def test_when_its_time_is_over_no_page_is_begun(make_pdf: Pdf) -> None:
    header, content = read_pages(open_path(make_pdf(*"abc")), ASKED | {"until": time.monotonic() - 1})
    assert (header, content) == ({"pages": 3, "found": []}, b"")


def test_an_answer_that_is_full_ends_with_a_page_and_has_one_at_least(make_pdf: Pdf) -> None:
    header, _ = read_pages(open_path(make_pdf(*"abc")), ASKED | {"bytes": 1})
    assert len(header["found"]) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_whose_picture_should_be_read_says_why_and_is_no_plain_one(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "made.pdf"
    draw, reason = KINDS[kind]
    with pymupdf.open() as document:
        draw(document.new_page(), 0)
        document.save(path)
    opened = open_path(path)
    [auto], _ = read(opened, ocr="auto")
    [[_, is_plain]], content = read(opened, ocr="never")
    assert (auto if isinstance(auto, str) else None) == reason
    assert is_plain == (reason is None)
    assert from_bytes(content).want == (reason or "")
    layer: Any = read(opened, ocr="auto")[1]
    assert layer == (b"" if reason else content)
