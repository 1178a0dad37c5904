"""What a comparison tells of two revisions."""

import pytest

from services.pdf.worker.boxes import Box
from services.pdf.worker.diff.compare import compare
from services.pdf.worker.diff.document import Picture
from services.pdf.worker.diff.result import described
from tests.services.pdf.worker.diff.revisions import changes, compared, readings, said

POLICY = [
    "#제1조(목적)",
    "이 규정은 회사의 개인정보 보호에 필요한 사항을 정함을 목적으로 한다.",
    "#제2조(연차휴가)",
    "① 회사는 임직원에게 매년 15일의 연차휴가를 부여한다. 다만, 경미한 사항은 예외로 한다.",
    "② 부서장은 제3조에 따라 연차휴가 계획을 매 분기 말일까지 보고하여야 한다.",
    "#제3조(보고)",
    "책임자는 보고서를 접수한 날부터 7일 이내에 그 결과를 통지하여야 한다.",
    "#제4조(위임)",
    "이 규정에서 정하지 아니한 사항은 제3조에 따라 별도 지침으로 정한다.",
]


def changed(old: str, new: str) -> list[str]:
    return [paragraph.replace(old, new) for paragraph in POLICY]


def test_the_same_document_has_no_changes_and_says_so() -> None:
    result = described(compared(POLICY, POLICY))
    assert (result["relation"], result["changes"], result["complete"]) == ("same_content", [], True)
    assert result["similarity"] == 1


@pytest.mark.parametrize("measure", [24, 37, 61])
@pytest.mark.parametrize("breaks_words", [False, True])
def test_a_document_set_in_other_lines_has_no_changes(measure: int, breaks_words: bool) -> None:  # noqa: FBT001
    assert changes(POLICY, POLICY, measure=measure, breaks_words=breaks_words) == []


def test_a_number_is_told_with_the_place_where_it_stands() -> None:
    (change,) = changes(POLICY, changed("15일의", "20일의"))
    assert said(change) == ("modify", "15일의", "20일의")
    assert change["class"] == "number"
    assert change["address"]["left"] == change["address"]["right"] == "제2조 ①"
    assert change["left"]["inner"] == [[0, 2]]


@pytest.mark.parametrize(
    ("new", "left", "right"),
    [("15일의", [0, 1], [0, 1]), ("35일간의", [], [3, 4]), ("세 번의", [0, 4], [0, 4])],
    ids=["one sign", "one sign more", "another word"],
)
def test_words_that_share_little_differ_as_a_whole(new: str, left: list[int], right: list[int]) -> None:
    (change,) = changes(changed("15일의", "35일의"), changed("15일의", new))
    inner = [change[side]["inner"] for side in ("left", "right")]
    expected = [[left] if left else [], [right]]
    assert inner == expected, change


def test_spans_are_those_of_the_text_of_the_page() -> None:
    (change,) = changes(POLICY, changed("15일의", "20일의"))
    for side, paragraphs in (("left", POLICY), ("right", changed("15일의", "20일의"))):
        (region,) = change[side]["regions"]
        start, stop = region["span"]
        assert readings(paragraphs)[region["page"]].text[start:stop] == change[side]["text"]


def test_a_blank_that_is_missing_within_a_line_is_a_change_of_spacing() -> None:
    (change,) = changes(POLICY, changed("연차휴가 계획을", "연차휴가계획을"))
    assert said(change) == ("modify", "연차휴가 계획을", "연차휴가계획을")
    assert change["class"] == "spacing"


def test_an_article_put_in_is_one_change_and_the_numbers_behind_it_follow() -> None:
    added = ["#제2조(정의)", "이 규정에서 사용하는 용어의 뜻은 관계 법령에서 정하는 바에 따른다."]
    right = [*POLICY[:2], *added, *POLICY[2:]]
    for old, new in (("제4조", "제5조"), ("제3조", "제4조")):
        right = [*right[:4], *(paragraph.replace(old, new) for paragraph in right[4:])]
    right[4] = "#제3조(연차휴가)"
    found = changes(POLICY, right)
    (real,) = [change for change in found if not change["derived"]]
    assert real["op"] == "insert"
    assert real["address"]["right"] == "제2조"
    assert {said(change)[1:] for change in found if change["derived"]} == {
        ("제2조(연차휴가)", "제3조(연차휴가)"),
        ("제3조(보고)", "제4조(보고)"),
        ("제4조(위임)", "제5조(위임)"),
        ("제3조에", "제4조에"),
    }
    assert {change["cause"] for change in found if change["derived"]} == {real["id"]}


def test_a_reference_to_another_article_is_no_derived_change() -> None:
    (change,) = changes(POLICY, changed("정하지 아니한 사항은 제3조에", "정하지 아니한 사항은 제1조에"))
    assert said(change) == ("modify", "제3조에", "제1조에")
    assert not change["derived"]


def test_a_reference_that_did_not_follow_is_warned_of() -> None:
    added = ["#제2조(정의)", "이 규정에서 사용하는 용어의 뜻은 관계 법령에서 정하는 바에 따른다."]
    right = [*POLICY[:2], *added, *POLICY[2:]]
    right[4], right[7], right[9] = "#제3조(연차휴가)", "#제4조(보고)", "#제5조(위임)"
    warnings = described(compared(POLICY, right))["warnings"]
    assert [(each["text"], each["address"]) for each in warnings] == [("제3조", "제3조 ②"), ("제3조", "제5조")]
    assert warnings[0]["message"] == "제3조 became 제4조; this reference still says 제3조"


def test_a_paragraph_that_moved_is_one_move_with_what_changed_inside() -> None:
    moved = POLICY[6].replace("7일", "9일")
    found = changes(POLICY, [*POLICY[:2], moved, *POLICY[2:6], *POLICY[7:]])
    assert [change["op"] for change in found] == ["move", "modify"]
    assert said(found[1]) == ("modify", "7일", "9일")
    assert found[1]["inside"] == found[0]["id"]


def test_words_that_became_bold_are_a_change_of_format() -> None:
    right = [*POLICY]
    right[6] = f"#{right[6]}"
    (change,) = changes(POLICY, right)
    assert change["op"] == "format"
    assert change["format"] == {"bold": [False, True]}


@pytest.mark.parametrize(("body", "size", "told"), [(10.0, 14.0, [10.0, 14.0]), (12.0, 18.0, [12.0, 18.0])])
def test_a_size_is_told_beside_the_later_body(body: float, size: float, told: list[float]) -> None:
    later = readings(POLICY)
    for reading in later.values():
        reading.styles[:] = [style._replace(size=body) for style in reading.styles]
        reading.styles.append(reading.styles[0]._replace(size=size))
        title = reading.lines[2]
        title.styles[:] = [2] * len(title.styles)
    (change,) = described(compare(readings(POLICY), later))["changes"]
    assert (change["op"], change["format"]["size"]) == ("format", told)


def test_documents_that_have_nothing_in_common_are_told_to_be_different() -> None:
    other = ["The quick brown fox jumps over the lazy dog and runs away.", "Nothing here is like the other one at all."]
    result = described(compared(POLICY, other))
    assert (result["relation"], result["changes"]) == ("different", [])


def test_an_empty_side_is_one_change_and_not_none() -> None:
    result = described(compare(readings(POLICY), {}))
    assert result["relation"] == "revision"
    assert [change["op"] for change in result["changes"]] == ["delete"]


def test_ids_do_not_depend_on_lines_or_pages() -> None:
    right = changed("15일의", "20일의")
    (change,) = changes(POLICY, right)
    (other,) = changes(POLICY, right, measure=31, page=4)
    assert change["id"] == other["id"]


def test_a_thousand_equal_sentences_and_one_more_are_one_change() -> None:
    left = ["The supplier shall keep the records."] * 1000
    (change,) = changes(left, [*left, left[0]])
    assert said(change) == ("insert", "", left[0])


def test_the_paper_of_a_scan_is_no_picture_and_one_beside_its_words_is() -> None:
    scanned = readings(POLICY)
    for reading in scanned.values():
        reading.ocr = True
        for line in reading.lines:
            line.source = "ocr"
    paper, seal = Picture(Box(0, 0, 600, 2000), "a1"), Picture(Box(400, 1800, 500, 1900), "b2")
    (change,) = described(compare(scanned, readings(POLICY), ({1: [paper, seal]}, {})))["changes"]
    assert (change["op"], change["kind"]) == ("delete", "image")
    assert change["left"]["regions"] == [{"page": 1, "bbox": [[400, 1800, 500, 1900]]}]


def test_a_sentence_in_capitals_is_one_change_of_case() -> None:
    old = "이 규정은 The Supplier Agreement 에 적용한다."
    left, right = [*POLICY, old], [*POLICY, old.replace("The Supplier Agreement", "THE SUPPLIER AGREEMENT")]
    (change,) = changes(left, right)
    assert said(change) == ("modify", "The Supplier Agreement", "THE SUPPLIER AGREEMENT")
    assert change["class"] == "case"


def test_a_number_that_follows_does_not_hide_a_change_of_case() -> None:
    added = ["#제2조(정의)", "이 규정에서 사용하는 용어의 뜻은 관계 법령에서 정하는 바에 따른다."]
    left = [*POLICY[:6], "책임자는 부칙 제3조(a)에 따라 보고서를 작성하고 그 결과를 통지하여야 한다."]
    right = [*POLICY[:2], *added, *POLICY[2:6], left[6].replace("제3조(a)에", "제4조(A)에")]
    right[4], right[7] = "#제3조(연차휴가)", "#제4조(보고)"
    (change,) = [each for each in changes(left, right) if "(a)" in (each["left"] or {}).get("text", "")]
    assert not change["derived"]


def test_a_change_of_format_or_of_a_picture_has_no_class() -> None:
    (change,) = changes(POLICY, [*POLICY[:6], f"#{POLICY[6]}", *POLICY[7:]])
    assert (change["op"], change["class"]) == ("format", "")


def test_changes_in_a_gap_too_large_to_be_looked_at_are_told_with_less_confidence() -> None:
    left = [f"The supplier keeps record {number} of {number * 7} in store." for number in range(260)]
    right = [f"A contractor files paper {number + 900} by {number * 3} at home." for number in range(260)]
    frame = [f"The parties agree on clause {number * 13} as it stands here." for number in range(200)]
    found = changes([*frame, *left, *frame[::-1]], [*frame, *right, *frame[::-1]])
    assert found
    assert all(change["confidence"] == 0.5 for change in found if change["op"] in {"insert", "delete"})
