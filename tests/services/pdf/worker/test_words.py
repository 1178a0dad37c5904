from itertools import chain
from math import inf, nan

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pdf.worker.words import VERSION, Line, Reading, Style, Word, from_bytes, in_units, to_bytes

PLACES = st.integers(-(10**9), 10**9)
HUNDREDTHS = st.integers(0, 10**7).map(lambda number: number / 100)
STYLES = st.builds(Style, st.text(max_size=8), HUNDREDTHS, st.integers(0, 31), st.integers(0, 0xFFFFFF))


@st.composite
def made_lines(draw: st.DrawFn, styles: int) -> Line:
    words = draw(st.lists(st.text("가나다ab\ufffd1", min_size=1, max_size=5), max_size=5))
    count = len(words)

    def of_each(values: st.SearchStrategy[int | float], each: int = 1) -> st.SearchStrategy[list[int | float]]:
        return st.one_of(st.just([]), st.lists(values, min_size=each * count, max_size=each * count))

    return Line(
        " ".join(words),
        draw(st.integers(0, 1000)),
        draw(st.sampled_from([(1.0, 0.0), (0.0, 1.0), (0.7071, -0.7071)])),
        draw(of_each(PLACES, 4)),  # type: ignore[arg-type]  # whole numbers
        draw(of_each(st.integers(0, styles - 1))) if styles else [],  # type: ignore[arg-type]  # whole numbers
        draw(st.sampled_from(["layer", "ocr"])),
        draw(st.sampled_from(["", "covered"])),
        draw(of_each(st.floats(0, 1))),
    )


@st.composite
def made_readings(draw: st.DrawFn) -> Reading:
    styles = draw(st.lists(STYLES, max_size=4))
    rotation = draw(st.sampled_from([0, 90, 180, 270]))
    lines = draw(st.lists(made_lines(len(styles))))
    shapes = [[*chain(*draw(st.lists(st.tuples(*[PLACES] * 4), max_size=3)))] for _ in range(3)]
    return Reading(draw(HUNDREDTHS), draw(HUNDREDTHS), rotation, styles, lines, *shapes, is_crowded=draw(st.booleans()))


@given(made_readings())
def test_a_reading_comes_back_from_its_json(reading: Reading) -> None:
    assert from_bytes(to_bytes(reading)) == reading


@given(made_readings())
def test_each_line_has_the_words_of_its_text(reading: Reading) -> None:
    for line in reading.lines:
        words = list(reading.words(line))
        assert " ".join(word.text for word in words) == line.text
        assert all(0 <= word.confidence <= 1 for word in words)
        assert all((word.box is None) == (not line.boxes) for word in words)


def test_a_word_has_its_place_in_points_and_its_look() -> None:
    style = Style("Nanum", 10.5, 16, 0xFF)
    line = Line("제1조 목적", 0, boxes=[100, 200, 3050, 1200, 4000, 200, 6000, 1200], styles=[0, 0])
    first, second = Reading(595, 842, 0, [style], [line]).words(line)
    assert first == Word("제1조", (1.0, 2.0, 30.5, 12.0), style, 1.0)
    assert second.box == (40.0, 2.0, 60.0, 12.0)


def test_doubt_is_the_share_of_letters_that_the_file_does_not_say_or_what_recognition_says() -> None:
    drawn, recognised = Line("ab\ufffd\ufffd", 0), Line("가나", 0, source="ocr", confidences=[0.8])
    reading = Reading(1, 1, 0, [], [drawn, recognised])
    assert [word.confidence for line in reading.lines for word in reading.words(line)] == [0.5, 0.8]


def test_hidden_lines_are_not_in_the_text() -> None:
    assert Reading(1, 1, 0, [], [Line("seen", 0), Line("unseen", 0, hidden="covered")]).text == "seen\n"


def test_the_json_has_no_more_than_a_line_needs() -> None:
    style = Style("Nanum", 10.0, 0, 0)
    reading = Reading(
        100.0, 200.0, 0, [style, style._replace(size=8.0)], [Line("a b", 3, boxes=[1] * 8, styles=[1, 1])]
    )
    expected = [VERSION, 100.0, 200.0, 0, ["Nanum"], [[0, 10.0, 0, 0], [0, 8.0, 0, 0]], [["a b", 3, 1, [1] * 8]]]
    expected += [1.0, 0, "", False, False, "", [], [], [], False]
    assert orjson.loads(to_bytes(reading)) == expected


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[1]",
        b"null",
        b'[0,1,1,0,[],[],[],1,0,"",false,false,""]',
        b"[2,1,1,0,[],[],[]]",
        b'[2,1,1,0,[],[[0,1,0,0]],[],1,0,"",false,false,""]',
        b'[2,1,1,0,[],[],[["a b",0,[],[1,1,1,1]]],1,0,"",false,false,""]',
        b'[2,1,1,0,[],[],[["a"]],1,0,"",false,false,""]',
        b'[2,1,1,0,[],[],[[1,0,0,[]]],1,0,"",false,false,""]',
    ],
)
def test_other_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # the message is for the log
        from_bytes(content)


@given(st.lists(st.floats()))
def test_any_place_is_a_whole_number_that_json_can_hold(places: list[float]) -> None:
    assert all(abs(place) <= 10**9 for place in orjson.loads(orjson.dumps(in_units(places))))


def test_a_place_is_a_hundredth_of_a_point() -> None:
    assert in_units([1.0, 0.126, -2.5]) == [100, 13, -250]
    assert in_units([inf, nan, 1.0]) == [10**9, 0, 100]
