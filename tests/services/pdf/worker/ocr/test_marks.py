import pytest
from PIL import Image, ImageDraw

from services.pdf.worker.ocr.ink import ink_of
from services.pdf.worker.ocr.marks import Mark, marks_of, numbered, together
from services.pdf.worker.ocr.numeric import Grey, np
from services.pdf.worker.ocr.picture import Picture
from services.pdf.worker.ocr.words import Line, Word

RING = (20, 20, 60, 60)


def drawn(
    *, ring: tuple[int, int, int, int] | None = RING, digit: bool = True, bar: bool = False, gap: int = 20
) -> Grey:
    """A ring with an upright stroke in it, and so many pixels beside it something like a letter."""
    image = Image.new("L", (200, 80), 255)
    pen = ImageDraw.Draw(image)
    if ring:
        pen.ellipse(ring, outline=0, width=2)
    if digit:
        pen.rectangle((38, 30, 41, 50), fill=0)
    if bar:
        pen.line((20, 40, 40, 40), fill=0, width=2)
    pen.rectangle((60 + gap, 22, 90 + gap, 58), fill=0)
    return np.asarray(image)


def marked(pixels: Grey, *words: Word) -> tuple[list[Line], list[Mark]]:
    ink = ink_of(pixels)
    assert ink is not None
    return marks_of([list(words)], Picture(pixels), ink)


def texts(lines: list[Line]) -> list[list[str]]:
    return [[word.text for word in line] for line in lines]


def test_a_ring_is_a_word_of_its_own_and_its_number_is_alone() -> None:
    lines, marks = marked(drawn(), Word("@내용", (20, 20, 110, 60), 0.8))
    assert texts(lines) == [["@", "내용"]]
    assert lines[0][0].box == (20, 20, 61, 61)
    number = marks[0].number
    ink = number.pixels < 128
    assert 2 * 21 <= ink.any(axis=1).sum() <= 2 * 23
    assert ink.any(axis=0).sum() <= 2 * 6


def test_its_number_is_told_by_what_was_read() -> None:
    lines, marks = marked(drawn(), Word("0)", (20, 20, 60, 60), 0.96))
    for read, text in (("1", "①"), ("l", "①"), ("12", "⑫"), ("20", "⑳")):
        found = numbered(lines, marks, [[Word(read, (0, 0, 10, 10), 0.7)]])
        assert texts(found) == [[text]]
        assert found[0][0].confidence == 0.7


@pytest.mark.parametrize(("gap", "text"), [(2, ["①내"]), (7, ["①내"]), (14, ["①", "내"]), (20, ["①", "내"])])
def test_it_is_one_word_with_what_follows_without_a_blank(gap: int, text: list[str]) -> None:
    lines, marks = marked(drawn(gap=gap), Word("@내", (20, 20, 90 + gap, 60), 0.8))
    found = together(numbered(lines, marks, [[Word("1", (0, 0, 10, 10), 0.7)]]))
    assert texts(found) == [text]
    assert found[0][0].box[:2] == (20, 20)
    assert found[0][-1].box[2] == pytest.approx(90 + gap)


def test_a_ring_whose_number_is_not_read_leaves_the_word_as_it_was() -> None:
    lines, marks = marked(drawn(gap=2), Word("@내", (20, 20, 92, 60), 0.8))
    assert texts(together(numbered(lines, marks, [[]]))) == [["@내"]]


@pytest.mark.parametrize("read", ["", "c", "R", "21", "0", "²"])
def test_what_is_no_such_number_changes_nothing(read: str) -> None:
    lines, marks = marked(drawn(), Word("©", (20, 20, 60, 60), 0.9))
    assert texts(numbered(lines, marks, [[Word(read, (0, 0, 10, 10), 0.9)] if read else []])) == [["©"]]


@pytest.mark.parametrize(
    "pixels",
    [
        drawn(digit=False),
        drawn(ring=None),
        drawn(ring=(20, 10, 60, 75)),
        drawn(bar=True),
    ],
    ids=["empty", "no ring", "an oval", "an at sign, whose strokes hang together"],
)
def test_other_signs_are_no_marks(pixels: Grey) -> None:
    lines, marks = marked(pixels, Word("@", (20, 20, 60, 60), 0.9))
    assert (texts(lines), marks) == ([["@"]], [])


def test_a_word_of_hangul_or_without_ink_or_beyond_the_picture_is_no_mark() -> None:
    for word in (
        Word("이", (20, 20, 60, 60), 0.9),
        Word("@", (130, 0, 150, 20), 0.9),
        Word("@", (500, 0, 520, 20), 0.9),
        Word("@", (20, 20, 60, 20), 0.9),
    ):
        assert marked(drawn(), word)[1] == []


def test_there_are_not_more_than_some_hundred_marks() -> None:
    assert len(marked(drawn(), *[Word("@", (20, 20, 60, 60), 0.9)] * 1000)[1]) == 200
