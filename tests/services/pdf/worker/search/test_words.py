"""What counts as the same text when one looks for words."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pdf.worker.search.folding import fold_letters
from tests.services.pdf.worker.search.searching import search, texts
from tests.services.pdf.written import Written, page, paragraph


@pytest.mark.parametrize(
    ("query", "line"),
    [
        ("LEAVE", "annual leave"),
        ("strasse", "die Straße"),
        ("ΛΌΓΟΣ", "λόγος"),
        ("\uff21\uff22\uff23\uff11\uff12", "abc12"),
        ("abc12", "\uff21\uff22\uff23\uff11\uff12"),
        ("annual   leave", "annual leave"),
        ("annual\u3000leave", "annual leave"),
        (unicodedata.normalize("NFD", "연차휴가"), "연차휴가"),
        (unicodedata.normalize("NFD", "café"), "café"),
        ("employee's", "the employee\u2019s leave"),
        ('"leave"', "\u201cleave\u201d"),
        ("2020-2025", "2020\u20132025"),
        ("휴가", "연차휴가는"),
        ("(a+)+$ [b] \\d", "what (a+)+$ [b] \\d means"),
        ("ｱｲｳ", "アイウ"),
        ("co\u00adoperate", "cooperate"),
    ],
)
def test_the_same_to_a_reader_is_found(query: str, line: str) -> None:
    (hit,) = search([page(Written(line, 72, 100))], query)["hits"]
    assert hit["text"] in line
    assert len(hit["boxes"]) == 1


@pytest.mark.parametrize(
    ("query", "line"),
    [
        ("therapist", "the rapist"),
        ("the rapist", "therapist"),
        ("①", "item 1"),
        ("1", "item ①"),
        ("개인정보보호", "개인정보 보호"),
        ("각", "각나"),
        ("가", "각"),
        ("leave.", "leave, and"),
        ("a.c", "abc"),
    ],
)
def test_other_text_is_not(query: str, line: str) -> None:
    assert (
        search([page(Written(unicodedata.normalize("NFC", line).replace("각나", "간나"), 72, 100))], query)["total"]
        == 0
    )


@pytest.mark.parametrize(
    ("lines", "found", "not_found"),
    [
        (["the infor-", "mation act"], ["information", "the infor-mation", "information act"], ["infor mation"]),
        (["the instal\u2011", "lation of"], ["installation", "instal-lation of"], ["instal lation"]),
        (["a well-", "known rule"], ["well-known rule", "wellknown"], ["well known"]),
        (["clause 2-", "3 applies"], ["2-3", "clause 2- 3"], ["23"]),
        (["soft\u00ad", "ware is"], ["software"], ["soft ware"]),
        (["the rule of", "law"], ["of law"], ["oflaw"]),
        (["개인정", "보를 처리"], ["개인정보를", "개인정 보를"], ["개인정  를"]),
        (["제12조의", "2에 따라"], ["제12조의 2에"], ["조의에"]),
        (["either and/", "or both"], ["and/or both"], ["andor"]),
    ],
)
def test_a_phrase_is_found_over_the_end_of_a_line(lines: list[str], found: list[str], not_found: list[str]) -> None:
    sheet = page(*paragraph(lines))
    for query in found:
        (hit,) = search([sheet], query)["hits"]
        assert len(hit["boxes"]) == 2, query
    assert [query for query in not_found if search([sheet], query)["total"]] == []


def test_lines_of_a_hit_are_joined_as_they_are_read() -> None:
    lines = ["what is said in the infor-", "mation act, and more", "of it in another rule that"]
    sheet = page(*(Written(text, 72, 100 + 13 * at, width=130) for at, text in enumerate(lines)))
    assert texts([sheet], "information act") == ["information act"]
    assert texts([sheet], "and more of") == ["and more of"]


@given(st.text(max_size=30), st.text(max_size=30))
def test_letters_are_folded_one_by_one(one: str, other: str) -> None:
    assert fold_letters(one + other) == fold_letters(one) + fold_letters(other)
    assert fold_letters(fold_letters(one)) == fold_letters(one)


_WORD = st.text(st.sampled_from("abcXYZ12.-가나다①é"), min_size=1, max_size=6)


@given(st.lists(_WORD, min_size=4, max_size=40), st.data())
def test_every_run_of_words_is_found_with_a_box_for_each_of_its_lines(words: list[str], data: st.DataObject) -> None:
    lines = [" ".join(words[at : at + 4]) for at in range(0, len(words), 4)]
    sheet = page(*paragraph(lines))
    start = data.draw(st.integers(0, len(words) - 1))
    stop = data.draw(st.integers(start + 1, len(words)))
    answer = search([sheet], " ".join(words[start:stop]), max_hits=200)
    wanted = [line.boxes[0] / 100 for line in sheet.lines[start // 4 : (stop - 1) // 4 + 1]]
    assert any(len(hit["boxes"]) == len(wanted) for hit in answer["hits"])
