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


class TestOnAPageOfWhichKoreanIsSurer:
    def test_the_surer_line_is_taken_whole(self) -> None:
        first = [line(("휴기", 0.6), ("일수", 0.9)), line(("다음", 0.9), top=50)]
        second = [line(("휴가", 0.9), ("일수", 0.9)), line(("디음", 0.8), top=50)]
        assert texts(surer(first, second)) == [["휴가", "일수"], ["다음"]]

    def test_latin_letters_are_hangul_that_was_misread(self) -> None:
        first, second = [line(("HAE", 0.85), ("규칙", 0.8))], [line(("체제", 0.9), ("규칙", 0.9))]
        assert texts(surer(first, second)) == [["체제", "규칙"]]

    def test_a_line_stays_when_the_other_reading_has_several_at_its_place(self) -> None:
        assert texts(surer([line(("가", 0.5))], [line(("나", 0.9)), line(("다", 0.9))])) == [["가"]]

    def test_a_line_over_two_is_read_for_neither(self) -> None:
        first = [line(("가", 0.5)), line(("나", 0.5), top=18)]
        over = [Word("가나", (0, 0, 90, 38), 0.9)]
        assert texts(surer(first, [over])) == [["가"], ["나"]]


class TestOnAPageWithBoth:
    def test_a_word_without_latin_letters_is_taken_where_it_is_surer(self) -> None:
        first = [line(("server", 0.95), ("선정", 0.6), ("값", 0.9), ("@", 0.5))]
        second = [line(("59767", 0.3), ("설정", 0.8), ("갑", 0.7), ("①", 0.8))]
        assert texts(surer(first, second)) == [["server", "설정", "값", "①"]]

    def test_a_word_at_another_place_is_another_word(self) -> None:
        first = [line(("server", 0.95), ("선정", 0.8))]
        assert texts(surer(first, [line(("가", 0.2), ("설정", 0.9), shifted=30)])) == [["server", "선정"]]

    def test_lines_without_hangul_do_not_count_since_they_were_not_read_again(self) -> None:
        first = [line(("Latin", 0.2)), line(("가", 0.9), ("Latin", 0.9), top=50)]
        assert texts(surer(first, [line(("기", 0.8), ("15", 0.8), top=50)])) == [["Latin"], ["가", "Latin"]]


def test_a_page_without_hangul_or_without_another_reading_stays_as_it_is() -> None:
    assert texts(surer([line(("Latin", 0.2))], [line(("가", 0.9))])) == [["Latin"]]
    assert texts(surer([line(("가", 0.2))], [])) == [["가"]]
