"""Lines put right by the places of their letters; the letters are squares of one size, unless a test says otherwise."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pdf.worker.fonts import PageFonts
from services.pdf.worker.letters import text_of
from services.pdf.worker.page_lines import set_lines

SIZE = 10.0
ACROSS, DOWN, UP = (1.0, 0.0), (0.0, 1.0), (0.0, -1.0)
HANGUL = st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=1, max_size=6)


def piece(
    text: str, at: float = 0.0, baseline: float = 100.0, *, gap: float = 0.0, gaps: dict[int, float] | None = None,
    way: tuple[float, float] = ACROSS, blanks: bool = False, flags: int = 0, wmode: int = 0,
) -> dict[str, Any]:  # fmt: skip
    """A line of rawdict: `gap` sizes between the letters, and `gaps` instead before some."""
    chars: list[dict[str, Any]] = []
    place = at
    for index, letter in enumerate(text):
        own = (gaps or {}).get(index, gap) * SIZE if index else 0.0
        if own and blanks:
            chars.append(boxed(" ", place, own, baseline, way, synthetic=True))
        place += own
        chars.append(boxed(letter, place, SIZE, baseline, way))
        place += SIZE
    span = {"size": SIZE, "char_flags": flags, "font": "Any", "chars": chars}
    return {"dir": way, "wmode": wmode, "spans": [span], "bbox": (0.0, 0.0, 1.0, 1.0)}


def boxed(
    letter: str, at: float, width: float, baseline: float, way: tuple[float, float], *, synthetic: bool = False
) -> dict[str, Any]:
    if way == ACROSS:
        box, origin = (at, baseline - 8, at + width, baseline + 2), (at, baseline)
    elif way == DOWN:
        box, origin = (baseline, at, baseline + 10, at + width), (baseline, at + width)
    else:
        box, origin = (baseline - 8, -at - width, baseline + 2, -at), (baseline, -at)
    return {"c": letter, "bbox": box, "origin": origin, "synthetic": synthetic}


def read(*lines: dict[str, Any], fonts: PageFonts | None = None) -> list[str]:
    found = set_lines([{"lines": list(lines)}], fonts or PageFonts())
    return [text_of(line.letters) for line in found]


class TestWordsOfHangul:
    @pytest.mark.parametrize("way", [ACROSS, DOWN, UP])
    @pytest.mark.parametrize("usual", [-0.05, 0.0, 0.06, 0.2])
    @given(words=st.lists(HANGUL, min_size=2, max_size=5).filter(lambda words: sum(map(len, words)) > 2 * len(words)))
    def test_are_set_apart_by_a_gap_that_is_wider_than_the_usual_one(
        self, way: tuple[float, float], usual: float, words: list[str]
    ) -> None:
        ends = [sum(map(len, words[:index])) for index in range(1, len(words))]
        line = piece("".join(words), gap=usual, gaps=dict.fromkeys(ends, usual + 0.2), way=way)
        assert read(line) == [" ".join(words)]

    @given(HANGUL, st.floats(0.0, 1.0))
    def test_stay_whole_where_all_gaps_are_alike(self, word: str, gap: float) -> None:
        assert read(piece(word, gap=gap)) == [word]

    def test_are_set_apart_from_latin_and_numbers_as_well(self) -> None:
        assert read(piece("제3조부터A항까지는", gaps={5: 0.3, 6: 0.3})) == ["제3조부터 A 항까지는"]

    def test_keep_the_blanks_that_the_file_has(self) -> None:
        assert read(piece("네 네 하하")) == ["네 네 하하"]


class TestPiecesOfALine:
    def test_on_one_baseline_are_read_in_the_order_of_their_places(self) -> None:
        assert read(piece("피해액은"), piece("조원이다", 75), piece("1.3", 42)) == ["피해액은1.3조원이다"]
        assert read(piece("둘째", 30), piece("첫째")) == ["첫째 둘째"]

    def test_have_a_blank_between_them_where_there_is_a_gap(self) -> None:
        assert read(piece("1"), piece("Introduction", 20)) == ["1 Introduction"]

    def test_are_lines_of_their_own_where_they_are_far_apart_or_on_other_baselines(self) -> None:
        assert read(piece("left"), piece("right", 100)) == ["left", "right"]
        assert read(piece("one"), piece("two", 35, 112)) == ["one", "two"]

    def test_that_lie_over_each_other_are_not_mixed(self) -> None:
        assert read(piece("가나다라"), piece("마바", 15)) == ["가나다라", "마바"]

    def test_of_vertical_writing_make_one_line_for_each_column(self) -> None:
        first = [piece(letter, 10 * index, 50, way=DOWN, wmode=1) for index, letter in enumerate("세로쓰기")]
        second = [piece(letter, 10 * index, 30, way=DOWN, wmode=1) for index, letter in enumerate("둘째")]
        assert read(*first, *second) == ["세로쓰기", "둘째"]


class TestWhatIsDrawnTwice:
    @given(st.floats(-0.2, 0.2), st.floats(-0.2, 0.2))
    def test_is_read_once(self, right: float, down: float) -> None:
        assert read(piece("중요사항"), piece("중요사항", right * SIZE, 100 + down * SIZE)) == ["중요사항"]

    def test_is_read_twice_at_two_places(self) -> None:
        assert read(piece("예"), piece("예", 0, 112), piece("예", 60)) == ["예", "예", "예"]

    def test_is_read_once_from_right_to_left_too(self) -> None:
        (once,) = read(piece("ملاحظة"))
        assert read(piece("ملاحظة"), piece("ملاحظة", 0.1 * SIZE)) == [once]
        assert read(piece("ملاحظة"), piece("ملاحظة", 0, 112)) == [once, once]


class TestSpreadLetters:
    def test_are_a_word(self) -> None:
        assert read(piece("CONTRACT", gap=0.25, blanks=True)) == ["CONTRACT"]

    def test_are_words_where_one_gap_is_much_wider(self) -> None:
        assert read(piece("ANNUALREPORT", gap=0.2, gaps={6: 0.8}, blanks=True)) == ["ANNUAL REPORT"]

    @pytest.mark.parametrize(("text", "gap"), [("12345", 0.25), ("A1B2C3", 0.25), ("ABCDE", 0.9), ("ABC", 0.25)])
    def test_are_no_word_where_they_may_be_a_row_of_symbols(self, text: str, gap: float) -> None:
        assert read(piece(text, gap=gap, blanks=True)) == [" ".join(text)]


class TestGuesses:
    def test_are_doubt_where_a_font_says_nothing(self) -> None:
        assert read(piece("ab", flags=128), fonts=PageFonts(unmapped=True, numbered=True)) == ["\ufffd\ufffd"]

    def test_are_doubt_where_nobody_could_see_them(self) -> None:
        assert read(piece("a\x01", flags=128), fonts=PageFonts(numbered=True)) == ["a\ufffd"]

    def test_stay_in_fonts_whose_glyphs_have_names(self) -> None:
        assert read(piece("ab", flags=128)) == ["ab"]

    def test_are_marked_letter_by_letter(self) -> None:
        assert read(piece("ab", flags=16), fonts=PageFonts(unmapped=True, numbered=True)) == ["ab"]


def test_a_line_at_any_other_angle_is_read_as_it_was_drawn() -> None:
    line = piece("가나 다")
    line["dir"] = (0.8, 0.6)
    assert read(line) == ["가나 다"]


def test_a_page_without_lines_has_none() -> None:
    assert list(set_lines([], PageFonts())) == []
    assert read({"dir": ACROSS, "wmode": 0, "spans": [], "bbox": (0.0, 0.0, 0.0, 0.0)}) == []
