"""Changes as comments on a document."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.base.errors import Code, PapermeshError
from services.pdf.worker.annotated import annotate
from services.pdf.worker.mupdf import pymupdf
from tests.services.pdf.support import open_path

MOST = 1 << 24


def annotated(path: Path, *marks: list[Any], most: int = MOST) -> Any:
    return pymupdf.open(stream=annotate(open_path(path), {"marks": list(marks), "most_bytes": most}))


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_comment_is_where_the_reader_sees_the_change(tmp_path: Path, rotation: int) -> None:
    path = tmp_path / "page.pdf"
    with pymupdf.open() as document:
        page = document.new_page(width=300, height=200)
        page.set_cropbox(pymupdf.Rect(10, 10, 290, 190))
        page.set_rotation(rotation)
        document.save(path)
    with annotated(path, [1, [[20, 30, 60, 44]], "insert", "+ 제1조\n+ 새 문장"]) as document:
        page = document[0]  # its annotations live no longer than it does
        [note] = page.annots()
        assert note.info["content"] == "+ 제1조\n+ 새 문장"
        seen = note.rect * page.rotation_matrix
        assert seen.contains(pymupdf.Rect(20, 30, 60, 44))
        assert (seen.width, seen.height) < (50, 20)  # MuPDF rounds the ends of a highlight


def test_a_change_over_several_lines_is_one_comment(make_pdf: Callable[..., Path]) -> None:
    with annotated(make_pdf("One."), [1, [[72, 60, 90, 72], [72, 75, 90, 87]], "modify", "~"]) as document:
        page = document[0]
        [note] = page.annots()
        assert len(note.vertices) == 8


def test_the_words_stay_as_they_were(make_pdf: Callable[..., Path]) -> None:
    path = make_pdf("One.", "Two.")
    with annotated(path, [2, [[72, 60, 90, 72]], "delete", "−"]) as document:
        assert [page.get_text().strip() for page in document] == ["One.", "Two."]


def test_a_page_that_is_not_there_has_no_comment(make_pdf: Callable[..., Path]) -> None:
    with annotated(make_pdf("One."), [9, [[0, 0, 9, 9]], "insert", ""]) as document:
        assert list(document[0].annots()) == []


def test_what_is_over_the_limit_is_told(make_pdf: Callable[..., Path]) -> None:
    with pytest.raises(PapermeshError) as caught:
        annotated(make_pdf("One."), most=100)
    assert caught.value.code is Code.TOO_LARGE
