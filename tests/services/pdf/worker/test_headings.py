"""Headings found by how they look, in documents that are made for it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from services.pdf.worker.mupdf import pymupdf
from tests.services.pdf.support import open_path
from tests.services.pdf.viewing import outline_of

Write = Callable[[pymupdf.Page], None]

BODY = "Every employee is entitled to annual leave, which is taken in the year that it is for.\n" * 8


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    """Writes a PDF whose pages have a body and whatever each of some functions writes on its own."""

    def write(*pages: Write) -> Path:
        path = tmp_path / "headings.pdf"
        with pymupdf.open() as document:
            for each in pages:
                page = document.new_page()
                page.insert_text((72, 500), BODY, fontsize=10)
                each(page)
            document.save(path)
        return path

    return write


def titles(path: Path) -> list[str]:
    return [entry["title"] for entry in outline_of(open_path(path))["entries"]]


@pytest.mark.parametrize(("lines", "found"), [(3, ["Leave and leave and leave"]), (4, [])])
def test_up_to_three_large_lines_are_a_heading_and_more_are_a_paragraph(
    make: Callable[..., Path], lines: int, found: list[str]
) -> None:
    text = "\n".join(["Leave", "and leave", "and leave", "and leave"][:lines])
    assert titles(make(lambda page: page.insert_text((72, 300), text, fontsize=16))) == found


def test_words_of_hangul_that_stand_apart_are_words(make: Callable[..., Path]) -> None:
    def write(page: pymupdf.Page) -> None:
        page.insert_text((72, 300), "제1장", fontsize=20, fontname="korea")
        page.insert_text((72 + 3 * 20 + 6, 300), "총칙", fontsize=20, fontname="korea")

    assert titles(make(write)) == ["제1장 총칙"]


def test_what_reads_alike_on_every_page_is_dropped_in_the_margin_and_kept_in_the_text(
    make: Callable[..., Path],
) -> None:
    def write(page: pymupdf.Page) -> None:
        page.insert_text((72, 30), f"Leave {page.number + 1}", fontsize=16)
        page.insert_text((72, 300), "Leave 7", fontsize=16)

    assert titles(make(*[write] * 4)) == ["Leave 7"] * 4


def test_after_five_hundred_pages_nothing_is_looked_for_and_that_is_told(tmp_path: Path) -> None:
    path = tmp_path / "long.pdf"
    with pymupdf.open() as document:
        for _ in range(501):
            document.new_page()
        document.save(path)
    (failure,) = outline_of(open_path(path))["failures"]
    assert (failure["page"], failure["reason"]) == (501, "TOO_LARGE")
