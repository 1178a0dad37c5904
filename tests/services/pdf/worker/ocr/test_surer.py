from services.pdf.worker.ocr.surer import surer
from services.pdf.worker.ocr.words import Line, Word


def line(*words: tuple[str, float], top: int = 0, shifted: int = 0) -> Line:
    """Words of 100 pixels each, with their confidence."""
    return [
        Word(text, (100 * index + shifted, top, 100 * index + 90 + shifted, top + 20), confidence)
        for index, (text, confidence) in enumerate(words)
    ]


def texts(lines: list[Line]) -> list[list[str]]:
    return [[word.text for word in line] for line in lines]


class TestOnAPageWithoutLatinLetters:
    def test_the_surer_line_is_taken_whole(self) -> None:
        first = [line(("휴기", 0.6), ("일수", 0.9)), line(("다음", 0.9), top=50)]
        second = [line(("휴가", 0.9), ("일수", 0.8)), line(("디음", 0.7), top=50)]
        assert texts(surer(first, second)) == [["휴가", "일수"], ["다음"]]

    def test_doubtful_latin_letters_are_hangul_that_was_misread(self) -> None:
        assert texts(surer([line(("Hl", 0.4), ("규칙", 0.9))], [line(("비", 0.9), ("규칙", 0.9))])) == [["비", "규칙"]]

    def test_a_line_stays_when_the_other_reading_has_none_or_several_at_its_place(self) -> None:
        assert texts(surer([line(("가", 0.5))], [])) == [["가"]]
        assert texts(surer([line(("가", 0.5))], [line(("나", 0.9)), line(("다", 0.9))])) == [["가"]]

    def test_a_line_over_two_is_read_for_neither(self) -> None:
        first = [line(("가", 0.5)), line(("나", 0.5), top=18)]
        over = [Word("가나", (0, 0, 90, 38), 0.9)]
        assert texts(surer(first, [over])) == [["가"], ["나"]]


class TestOnAPageWithBoth:
    def test_a_word_of_hangul_is_taken_where_it_is_surer(self) -> None:
        first = [line(("server", 0.95), ("선정", 0.6), ("값", 0.9))]
        second = [line(("59767", 0.99), ("설정", 0.8), ("갑", 0.7))]
        assert texts(surer(first, second)) == [["server", "설정", "값"]]

    def test_a_word_at_another_place_is_another_word(self) -> None:
        first = [line(("server", 0.95), ("선정", 0.6))]
        assert texts(surer(first, [line(("가", 0.9), ("설정", 0.9), shifted=30)])) == [["server", "선정"]]
