"""Changes told by words, by sentences or by articles."""

import pytest

from services.pdf.worker.diff.changes import Change
from services.pdf.worker.diff.granularity import Granularity, told_by
from tests.services.pdf.worker.diff.revisions import compared

POLICY = [
    "#제1조(목적)",
    "이 규정은 회사의 개인정보 보호에 필요한 사항을 정함을 목적으로 한다. 그 밖의 사항은 지침으로 정한다.",
    "#제2조(연차휴가)",
    "① 회사는 임직원에게 매년 15일의 연차휴가를 부여한다. 다만, 경미한 사항은 예외로 한다.",
    "② 부서장은 제3조에 따라 연차휴가 계획을 매 분기 말일까지 보고하여야 한다.",
    "#제3조(보고)",
    "책임자는 보고서를 접수한 날부터 7일 이내에 그 결과를 통지하여야 한다.",
]


def edited(**words: str) -> list[str]:
    found = POLICY
    for old, new in words.items():
        found = [paragraph.replace(old, new) for paragraph in found]
    return found


def told(right: list[str], granularity: Granularity) -> list[Change]:
    found = compared(POLICY, right)
    return told_by(granularity, found.changes, found.flows)


def texts(changes: list[Change]) -> list[tuple[str, str]]:
    return [(each.left.text if each.left else "", each.right.text if each.right else "") for each in changes]


def test_two_changes_of_one_sentence_are_one_by_sentences() -> None:
    right = edited(임직원에게="직원에게", 부여한다="준다", 접수한="받은")
    first = "① 회사는 {} 매년 15일의 연차휴가를 {}."
    last = "책임자는 보고서를 {} 날부터 7일 이내에 그 결과를 통지하여야 한다."
    assert len(told(right, "word")) == 3
    assert texts(told(right, "sentence")) == [
        (first.format("임직원에게", "부여한다"), first.format("직원에게", "준다")),
        (last.format("접수한"), last.format("받은")),
    ]


def test_the_changes_of_an_article_are_one_from_its_first_to_its_last_changed_sentence() -> None:
    right = edited(경미한="사소한", 분기="반기", 접수한="받은")
    changes = told(right, "article")
    assert [each.op for each in changes] == ["modify", "modify"]
    assert texts(changes)[0] == (
        "다만, 경미한 사항은 예외로 한다. " + POLICY[4],
        "다만, 사소한 사항은 예외로 한다. " + right[4],
    )


def test_a_sentence_that_went_and_one_that_came_in_one_article_are_one_change_of_it() -> None:
    right = [
        *POLICY[:3],
        "① 회사는 임직원에게 매년 15일의 연차휴가를 부여한다.",
        POLICY[4],
        "③ 세부 기준은 회사가 공고한다.",
        *POLICY[5:],
    ]
    assert len(told(right, "word")) == 2
    (change,) = told(right, "article")
    assert change.op == "modify"


@pytest.mark.parametrize("granularity", ["sentence", "article"])
def test_only_what_is_derived_throughout_is_derived_and_has_its_cause_among_the_changes(
    granularity: Granularity,
) -> None:
    added = ["#제2조(정의)", "이 규정에서 사용하는 용어의 뜻은 관계 법령에서 정하는 바에 따른다."]
    right = [
        *POLICY[:2],
        *added,
        "#제3조(연차휴가)",
        *POLICY[3:4],
        POLICY[4].replace("제3조에", "제4조에"),
        "#제4조(보고)",
    ]
    right.append(POLICY[6].replace("7일", "9일"))
    changes = told(right, granularity)
    derived = [each for each in changes if each.cause is not None]
    assert all(each.cause in changes and each.cause.cause is None for each in derived if each.cause)
    assert len(derived) == (3 if granularity == "sentence" else 1)
    assert len({each.id for each in changes}) == len(changes)


def test_what_changed_inside_a_move_stays_inside_it() -> None:
    moved = POLICY[6].replace("7일", "9일").replace("접수한", "받은")
    changes = told([*POLICY[:2], moved, *POLICY[2:6]], "article")
    assert [each.op for each in changes] == ["move", "modify"]
    assert changes[1].inside is changes[0]
