"""Words of a line that are covered, as by a black box over a name, and those beside them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.pdf.worker.mupdf import pymupdf
from tests.services.pdf.support import open_path
from tests.services.pdf.viewing import count, hidden_in, read_text
from tests.services.pdf.worker.hiding import BLACK, WHERE, WHITE, box, make, picture, raw, write

WORDS = ["The", "buyer", "Margaret", "Whitcombe", "pays", "42,500", "euros", "in", "March"]
Cover = Callable[[Any, tuple[float, float, float, float]], None]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "page.pdf"


def place(first: int, last: int, size: float = 12) -> tuple[float, float, float, float]:
    """The box of some words of the line, numbered from 0, where `write` puts it."""
    before, until = (" ".join(WORDS[:number]) for number in (first, last + 1))
    start = 72 + pymupdf.get_text_length(before + " " * (first > 0), "helv", size)
    return start - 0.5, 200 - size, 72 + pymupdf.get_text_length(until, "helv", size) + 0.5, 200 + size / 3


def told(path: Path) -> list[tuple[str, str]]:
    return hidden_in(open_path(path))


def line_of(path: Path) -> list[str]:
    """The words that are read after the plain line."""
    return read_text(open_path(path), 1).split("\n", 1)[1].split()


def _in_strips(page: Any, around: tuple[float, float, float, float]) -> None:
    x0, y0, x1, y1 = around
    step = (y1 - y0) / 6
    for number in range(6):
        box(page, BLACK, (x0, y0 + number * step, x1, y0 + (number + 1) * step + 0.5))  # or seams let light through


def _as_an_annotation(page: Any, around: tuple[float, float, float, float]) -> None:
    annotation = page.add_rect_annot(around)
    annotation.set_colors(stroke=BLACK, fill=BLACK)
    annotation.update()


COVERS: dict[str, Cover] = {
    "a black box": lambda page, around: box(page, BLACK, around),
    "a white box": lambda page, around: box(page, WHITE, around),
    "a picture": lambda page, around: picture(page, 0, around),
    "strips": _in_strips,
    "an annotation": _as_an_annotation,
}


@pytest.mark.parametrize("kind", COVERS)
def test_covered_words_of_a_line_are_left_out_and_told_and_the_others_read(path: Path, kind: str) -> None:
    def draw(page: Any, said: str) -> None:
        write(page, said)
        COVERS[kind](page, place(2, 3))

    make(path, draw, " ".join(WORDS))
    assert line_of(path) == WORDS[:2] + WORDS[4:]
    assert told(path) == [("Margaret Whitcombe", "covered")]
    assert count(open_path(path)) == (20 + len("".join(WORDS[:2] + WORDS[4:])), 17)


@pytest.mark.parametrize("where", WHERE)
def test_so_are_two_names_in_one_line_wherever_it_is(path: Path, where: str) -> None:
    def draw(page: Any, said: str) -> None:
        write(page, said)
        for first, last in ((2, 3), (5, 5)):
            box(page, BLACK, place(first, last))
        WHERE[where](page)

    make(path, draw, " ".join(WORDS))
    assert line_of(path) == ["The", "buyer", "pays", "euros", "in", "March"]
    assert told(path) == [("Margaret Whitcombe", "covered"), ("42,500", "covered")]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.tuples(st.integers(0, 8), st.integers(0, 8)).map(sorted),
    size=st.floats(5, 17),
    color=st.sampled_from([BLACK, WHITE, (0.8, 0.8, 0.8)]),
    turn=st.sampled_from([0, 90, 180, 270]),
)
def test_whichever_words_are_covered_they_and_no_others_are_left_out(
    path: Path, words: list[int], size: float, color: tuple[float, ...], turn: int
) -> None:
    first, last = words

    def draw(page: Any, said: str) -> None:
        write(page, said, fontsize=size)
        box(page, color, place(first, last, size))
        page.set_rotation(turn)

    make(path, draw, " ".join(WORDS))
    assert line_of(path) == WORDS[:first] + WORDS[last + 1 :]
    assert told(path) == [(" ".join(WORDS[first : last + 1]), "covered")]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edge=st.floats(60, 360))
def test_a_box_over_the_start_of_a_line_hides_as_many_letters_as_it_covers(path: Path, edge: float) -> None:
    def draw(page: Any, said: str) -> None:
        write(page, said)
        box(page, BLACK, (60, 180, edge, 225))

    said = " ".join(WORDS)
    make(path, draw, said)
    rest = "".join(line_of(path))
    letters = "".join(said.split())
    assert letters.endswith(rest)
    assert len(rest) + sum(len("".join(text.split())) for text, _ in told(path)) == len(letters)
    ends = [72 + pymupdf.get_text_length(said[: number + 1], "helv", 12) for number in range(len(said))]
    covered = "".join(letter for letter, end in zip(said, ends, strict=True) if end <= edge).replace(" ", "")
    assert letters.removesuffix(rest).startswith(covered)
    assert len(letters) - len(rest) <= len(covered) + 1


def test_words_on_a_box_of_their_color_are_hidden_and_those_beside_it_read(path: Path) -> None:
    content = (
        "0.1 0.1 0.4 rg 72 630 100 30 re f BT /helv 12 Tf 72 642 Td (Nobody reads it     ) Tj 100 0 Td (Anybody) Tj ET"
    )
    make(path, lambda page, _: raw(page, content))
    assert line_of(path) == ["Anybody"]
    assert told(path) == [("Nobody reads it", "same_color")]


@pytest.mark.parametrize(
    "around",
    [(60, 202.5, 460, 205), (60, 196, 460, 197), (60, 150, 460, 190), (60, 203, 460, 240), (340, 180, 460, 225)],
    ids=["underlined", "struck through", "a box above", "a box below", "a box beside"],
)
def test_what_lies_beside_words_or_is_thin_hides_none(path: Path, around: tuple[float, ...]) -> None:
    def draw(page: Any, said: str) -> None:
        write(page, said)
        box(page, BLACK, around)

    make(path, draw, "The buyer pays in March")
    assert line_of(path) == ["The", "buyer", "pays", "in", "March"]
    assert told(path) == []
