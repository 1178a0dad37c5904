"""What was recognised, merged with the text layer: nothing twice, nothing lost, in the order of the places."""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from services.pdf.worker.boxes import Box
from services.pdf.worker.placed import PlacedLetter
from services.pdf.worker.recognised import Word, arrange, confidence_of, take

DPI = 144
PAGE = Box(0, 0, 600, 800)
WORD = st.text("가나다라마바사아자차카하abcdefgh", min_size=2, max_size=6)
LINES = st.lists(st.lists(WORD, min_size=1, max_size=5), min_size=1, max_size=12)


def page(lines: list[list[str]], *, top: float = 100, left: float = 50, confidence: float = 0.9) -> dict[str, Any]:
    """Lines 20 points apart, their words 80, as an OCR worker gives them."""
    return {
        "dpi": DPI,
        "lines": [
            {"words": [word(text, left + 80 * column, top + 20 * row, confidence) for column, text in enumerate(words)]}
            for row, words in enumerate(lines)
        ],
    }


class Layer(NamedTuple):
    """A text layer."""

    lines: list[tuple[str, Box]]
    letters: list[PlacedLetter]


def word(text: str, x: float, y: float, confidence: float = 0.9) -> dict[str, Any]:
    scale = DPI / 72
    box = {"x0": x * scale, "y0": y * scale, "x1": (x + 10 * len(text)) * scale, "y1": (y + 10) * scale}
    return {"text": text, "confidence": confidence, **box}


def layer(lines: list[list[str]], *, top: float = 100, left: float = 50, visible: bool = True) -> Layer:
    """The same lines as a text layer has them."""
    letters = [
        PlacedLetter(letter, Box(x, y, x + 10, y + 12), visible)
        for row, words in enumerate(lines)
        for column, text in enumerate(words)
        for index, letter in enumerate(text)
        for x, y in [(left + 80 * column + 10 * index, top + 20 * row - 1)]
    ]
    placed = [
        (" ".join(words), Box(left, top + 20 * row, left + 80 * len(words), top + 20 * row + 12))
        for row, words in enumerate(lines)
    ]
    return Layer(placed, letters)


def read(found: dict[str, Any], areas: list[Box], own: Layer) -> str:
    lines = take(found, areas, own.letters).lines
    boxes = [reduce(Box.around, (word.box for word in line)) for line in lines]
    texts = (text_of(lines).splitlines(), [text for text, _ in own.lines])
    order = arrange(boxes, [box for _, box in own.lines], areas)
    return "".join(f"{texts[is_own][index]}\n" for is_own, index in order)


def text_of(lines: Iterable[Sequence[Word]]) -> str:
    return "".join(f"{' '.join(word.text for word in line)}\n" for line in lines)


@given(lines=LINES)
def test_no_word_is_lost_where_the_layer_has_nothing(lines: list[list[str]]) -> None:
    found = take(page(lines), [], [])
    assert text_of(found.lines) == "".join(f"{' '.join(words)}\n" for words in lines)


@given(lines=LINES, visible=st.booleans())
def test_no_word_is_there_twice(lines: list[list[str]], *, visible: bool) -> None:
    own = layer(lines, visible=visible)
    assert take(page(lines), [], own.letters).lines == []


@given(lines=LINES, data=st.data())
def test_each_word_comes_once_whichever_of_them_the_layer_has(lines: list[list[str]], data: st.DataObject) -> None:
    has = [data.draw(st.booleans()) for _ in lines]
    own = layer([words if there else [] for words, there in zip(lines, has, strict=True)])
    own = Layer([line for line in own.lines if line[0]], own.letters)
    text = read(page(lines), [PAGE], own)
    assert Counter(text.split()) == Counter(word for words in lines for word in words)
    assert text.splitlines() == [" ".join(words) for words in lines]


@given(above=LINES, lines=LINES, below=LINES)
def test_the_lines_of_the_layer_stay_above_and_below_a_picture(
    above: list[list[str]], lines: list[list[str]], below: list[list[str]]
) -> None:
    area = Box(40, 395, 560, 645)
    first, last = layer(above), layer(below, top=700)
    own = Layer(first.lines + last.lines, first.letters + last.letters)
    text = read(page(lines, top=400), [area], own)
    assert text.splitlines() == [" ".join(words) for words in (*above, *lines, *below)]


@given(lines=LINES)
def test_words_outside_the_pictures_that_were_to_be_read_do_not_count(lines: list[list[str]]) -> None:
    assert take(page(lines), [Box(0, 500, 600, 800)], []).lines == []


def test_columns_that_were_recognised_keep_their_order_under_a_stamp() -> None:
    columns = {"dpi": DPI, "lines": page([["왼쪽"], ["아래"]])["lines"] + page([["오른쪽"], ["끝"]], left=350)["lines"]}
    own = layer([["stamp"]], top=60, left=350)
    assert read(columns, [PAGE], own) == "왼쪽\n아래\nstamp\n오른쪽\n끝\n"


def test_a_stamp_that_was_misread_is_not_there_twice() -> None:
    assert take(page([["Recelved", "휴가"]]), [], layer([["Received"]]).letters).lines[0][0].text == "휴가"


def test_a_large_stamp_hides_no_words_that_it_is_laid_over() -> None:
    stamp = [
        PlacedLetter(letter, Box(40 + 60 * index, 60, 100 + 60 * index, 160), visible=True)
        for index, letter in enumerate("DRAFT")
    ]
    assert text_of(take(page([["연차", "휴가는"]]), [], stamp).lines) == "연차 휴가는\n"


def test_specks_are_dropped_and_doubtful_words_are_kept_with_their_doubt() -> None:
    words = [word("|", 50, 100, 0.1), word("휴가", 80, 100, 0.5)]
    found = take({"dpi": DPI, "lines": [{"words": words}]}, [], [])
    assert text_of(found.lines) == "휴가\n"
    assert confidence_of(found.lines) == 0.5


def test_what_was_made_of_a_photograph_does_not_count_beside_a_picture_of_text() -> None:
    read_well, photograph = page([["연차"], ["휴가"]]), page([["iel"], ["ow"]], top=500, confidence=0.3)
    both = {"dpi": DPI, "lines": read_well["lines"] + photograph["lines"]}
    found = take(both, [Box(0, 0, 600, 300), Box(0, 400, 600, 800)], [])
    assert text_of(found.lines) == "연차\n휴가\n"
    assert text_of(found.illegible) == "iel\now\n"


def test_many_lines_of_both_are_put_in_order_by_their_height() -> None:
    text = read(page([["가나"]] * 1500), [Box(0, 0, 600, 40_000)], layer([["다라"]] * 1500, top=102, left=300))
    assert text == "가나\n다라\n" * 1500


def test_a_word_as_large_as_no_page_is_compared_with_nothing() -> None:
    huge = {**word("휴가", 0, 0), "x1": 1e12, "y1": 1e12}
    found = take({"dpi": DPI, "lines": [{"words": [huge]}]}, [], layer([["연차"]]).letters)
    assert text_of(found.lines) == "휴가\n"
