import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pdf.worker.layout.numbering import RANKS, read, roman_value, title_end


@pytest.mark.parametrize(
    ("text", "kind", "value", "marker"),
    [
        ("제1편 총칙", "part", (1,), "제1편"),
        ("제 2 장 휴가", "chapter", (2,), "제 2 장"),
        ("제3절 통칙", "section", (3,), "제3절"),
        ("제4관 보칙", "subsection", (4,), "제4관"),
        ("제5조(목적) 이 규정은", "article", (5,), "제5조"),
        ("제5조의2(정의)", "article", (5, 2), "제5조의2"),
        ("  ① 회사는", "circled", (1,), "①"),
        ("⑳ 회사는", "circled", (20,), "⑳"),
        ("1. 기록", "number", (1,), "1."),
        ("가. 기록", "hangul", (1,), "가."),
        ("1) 기록", "number_paren", (1,), "1)"),
        ("나) 기록", "hangul_paren", (2,), "나)"),
        ("(1) 기록", "number_parens", (1,), "(1)"),
        ("(다) 기록", "hangul_parens", (3,), "(다)"),
        ("별표 1", "annex", (1,), "별표 1"),
        ("[별표 2] 휴가", "annex", (2,), "[별표 2]"),
        ("별지 제3호 서식", "annex", (3,), "별지 제3호 서식"),
        ("부 칙 <2025. 8. 1.>", "annex", (), "부 칙"),
        ("1.2.3 Scope", "decimal", (1, 2, 3), "1.2.3"),
        ("A.1 Scope", "decimal", (1, 1), "A.1"),
        ("IV. Results", "roman", (4,), "IV."),
        ("(iv) results", "roman_parens", (4,), "(iv)"),
        ("b) results", "letter_paren", (2,), "b)"),
        ("[19] A. Author", "bracketed", (19,), "[19]"),
        ("Article 12. Leave", "article", (12,), "Article 12"),
        ("Appendix B", "annex", (2,), "Appendix B"),
        ("• leave", "bullet", (), "•"),
        ("- leave", "bullet", (), "-"),
    ],
)
def test_a_number_is_read_with_its_kind(text: str, kind: str, value: tuple[int, ...], marker: str) -> None:
    number = read(text)
    assert number is not None
    assert (number.kind, number.value, number.marker) == (kind, value, marker)
    assert text.lstrip().startswith(marker)


@pytest.mark.parametrize(
    "text",
    [
        "제3조에 따라",
        "제3조제2항은",
        "부칙에 따라",
        "별표와 같이",
        "2025. 8. 1.",
        "3,000원",
        "e.g. this",
        "section 3 of it",
        "",
        "가나다",
    ],
)
def test_what_only_looks_like_a_number_is_none(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize(
    ("before", "after", "follows"),
    [
        ("①", "②", True),
        ("①", "③", False),
        ("1.", "2.", True),
        ("1.", "2)", False),
        ("제5조", "제5조의2", True),
        ("제5조의2", "제6조", True),
        ("1.2", "1.3", True),
        ("1.2", "1.2.1", True),
        ("1.2.9", "1.3", True),
        ("1.2", "1.4", False),
        ("가.", "나.", True),
        ("• a", "• b", True),
    ],
)
def test_the_next_number_follows_the_one_before(before: str, after: str, *, follows: bool) -> None:
    first, second = read(before), read(after)
    assert first is not None
    assert second is not None
    assert second.follows(first) is follows


def test_the_divisions_of_a_policy_rank_as_they_nest() -> None:
    numbers = [
        read(text) for text in ("제1편", "제1장", "제1절", "제1관", "제1조", "①", "가.", "1)", "가)", "(1)", "(가)")
    ]
    ranks = [number.rank for number in numbers if number is not None]
    assert len(ranks) == len(numbers)
    assert ranks == sorted(set(ranks))


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("제3조(정의) 이 규정에서", "제3조(정의)"),
        ("제3조 (적용 범위)", "제3조 (적용 범위)"),
        ("제3조", "제3조"),
        ("제1장 총칙", ""),
    ],
)
def test_the_title_of_an_article_ends_with_its_bracket(text: str, title: str) -> None:
    assert text[: title_end(text)] == title


@pytest.mark.parametrize(("said", "value"), [("iv", 4), ("XIX", 19), ("Ⅳ", 4), ("abc", 0), ("", 0)])
def test_roman_numerals_count(said: str, value: int) -> None:
    assert roman_value(said) == value


@given(st.text(max_size=60))
def test_any_text_is_read_and_its_marker_stands_at_its_start(text: str) -> None:
    number = read(text)
    if number is not None:
        assert number.kind in RANKS
        assert text[: number.end].strip() == number.marker
        assert title_end(text) <= len(text)
