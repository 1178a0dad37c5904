"""Regular expressions: what they see, what is wrong with them, and that none takes long."""

from typing import Any

import pytest

from services.base.errors import Code, PapermeshError
from tests.services.pdf.worker.search.searching import needed, search
from tests.services.pdf.written import Written, page, paragraph


def matches(lines: list[str], query: str, **how: Any) -> list[str]:
    answer = search([page(*paragraph(lines))], query, mode="regex", **how)
    return [hit["text"] for hit in answer["hits"]]


def test_an_expression_sees_running_text() -> None:
    lines = ["Section 3.1 of the infor-", "mation act, Section 12"]
    assert matches(lines, r"Section \d+") == ["Section 3", "Section 12"]
    assert matches(lines, "information act") == ["information act"]
    assert matches(lines, "SECTION") == []
    assert matches(lines, "(?i)SECTION") == ["Section", "Section"]
    assert matches(lines, "^Sec|12$") == ["Sec", "12"]
    assert matches(["제3조 (목적) 이 규정은", "제10조를 따른다."], r"제\d+조") == ["제3조", "제10조"]
    assert matches(["연차 휴가"], r"\p{Hangul}+") == ["연차", "휴가"]


def test_each_paragraph_is_a_line_of_its_own() -> None:
    sheet = page(
        *paragraph(["first paragraph, which is", "of two lines."]),
        *paragraph(["second paragraph, which is", "of two lines."], y=180),
    )
    answer = search([sheet], "^.+$", mode="regex")
    assert [hit["text"] for hit in answer["hits"]] == [
        "first paragraph, which is of two lines.",
        "second paragraph, which is of two lines.",
    ]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("(a", r"missing \): .* \(at character 3\)"),
        ("a)b", r"unexpected \): .* \(at character 2\)"),
        ("xa**", r"bad repetition operator: \*\* \(at character 3\)"),
        ("ab|*a", r"no argument for repetition operator: \* \(at character 4\)"),
        ("가[나", r"missing \]: \[나 \(at character 2\)"),
        ("가나\\q", r"invalid escape sequence: \\q \(at character 3\)"),
        ("x[z-a]", r"invalid character class range: z-a \(at character 3\)"),
        ("(?=a)", r"invalid perl operator: \(\?= \(at character 1\)"),
        (r"(a)\1", r"invalid escape sequence: \\1 \(at character 4\)"),
        ("ba{1001}", r"invalid repetition size: \{1001\} \(at character 3\)"),
        ("ab\\", r"trailing \\ \(at character 3\)"),
        ("a*", "matches the empty text"),
        ("^", "matches the empty text"),
        (r"\p{L}{100}", "too complex"),
        (r"\p{L}{900}", "pattern too large"),
    ],
)
def test_what_is_wrong_with_an_expression_is_told_before_a_page_is_read(query: str, says: str) -> None:
    with pytest.raises(PapermeshError, match=says) as refusal:
        needed(1, query, mode="regex")
    assert refusal.value.code is Code.BAD_ARG
    assert [each.field for each in refusal.value.violations] == ["query"]


def test_a_match_of_nothing_is_no_hit() -> None:
    assert matches(["a word or two"], r"\b") == []
    assert matches(["a word or two"], r"(?:\b|or)") == ["or"]


@pytest.mark.parametrize("query", ["(a+)+$", "(a|a)+$", "(a|aa)+$", "(.*)*x", "(?s)(?:a?){500}a{500}b"])
def test_a_catastrophic_expression_over_a_million_letters_is_answered(query: str) -> None:
    sheet = page(Written("a" * 999_999 + "!", 0, 100, width=500))
    assert search([sheet], query, mode="regex")["total"] == 0


def test_matches_that_each_read_to_the_end_come_to_an_end_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.pdf.worker.search.hits._SECONDS", 0.5)
    sheet = page(Written("a" * 300_000, 0, 100, width=500))
    answer = search([sheet], "a(?:.+z)?", mode="regex", max_hits=1)
    assert answer["total_is_least"]
    assert answer["total"] > 0


def test_an_expression_may_match_bytes_within_a_letter() -> None:
    answer = search([page(Written("가나다", 72, 100))], r"\C", mode="regex")
    assert answer["hits"][0]["boxes"]
