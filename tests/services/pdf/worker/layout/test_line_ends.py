import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pdf.worker.layout.line_ends import LineEnds
from tests.services.pdf.written import Written, page

ANYWHERE = [
    "회사는 임직원의 연차휴가를 이 규정에 따라 정한다 그리고 설",
    "치용 프로그램의 설치용 파일을 복사하여 메모리에 저장한",
    "다. 직원은 연차휴가를 청구할 수 있으며 부서장은 이를 승",
    "인하여야 하며 승인하여야 할 사항은 별도의 지침으로 정한다",
]


def ends(*lines: str) -> LineEnds:
    return LineEnds([page(*(Written(line, 72, 100 + 13 * at) for at, line in enumerate(lines)))])


def test_a_word_that_a_lines_end_cut_is_whole() -> None:
    assert ends("plain text").join(["the consec-", "tetuer of it"]) == "the consectetuer of it"
    assert ends("plain text").join(["the con\u00ad", "sectetuer"]) == "the consectetuer"


def test_a_hyphen_that_the_document_writes_stays() -> None:
    found = ends("a well-known fact of it", "and a well-known one too")
    assert found.join(["this well-", "known fact"]) == "this well-known fact"
    assert found.join(["the Debian-", "Installer"]) == "the Debian-Installer"


def test_korean_lines_that_end_in_a_word_are_joined_without_a_blank() -> None:
    found = ends(*ANYWHERE)
    assert found.are_anywhere
    joined = found.join(ANYWHERE)
    assert "설치용 프로그램" in joined
    assert "저장한다. 직원은" in joined
    assert "승인하여야 하며" in joined


def test_korean_lines_that_end_between_words_have_a_blank() -> None:
    found = ends("회사는 휴가를 정하고", "직원은 이를 청구하며", "부서장은 이를 승인하고", "인사팀은 이를 기록한다.")
    assert not found.are_anywhere
    assert found.join(["회사는 휴가를 정하고", "직원은 이를 청구한다."]) == "회사는 휴가를 정하고 직원은 이를 청구한다."


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["日本語の文章は", "空白がない"], "日本語の文章は空白がない"),
        (["on a CD/", "DVD page"], "on a CD/DVD page"),
        (["from 600\u2013", "750 MB"], "from 600\u2013750 MB"),
        (["one", "", "  two  "], "one two"),
        ([], ""),
    ],
)
def test_other_ends_stand_for_what_they_do(lines: list[str], text: str) -> None:
    assert ends("plain text").join(lines) == text


@given(st.lists(st.text(max_size=20), max_size=6))
def test_no_letter_is_lost_or_added_but_hyphens(lines: list[str]) -> None:
    said = "".join("".join(lines).split())
    joined = "".join(ends("plain text of it").join(lines).split())
    kept = joined.replace("-", "").replace("\u2010", "").replace("\u00ad", "")
    assert kept == said.replace("-", "").replace("\u2010", "").replace("\u00ad", "")
