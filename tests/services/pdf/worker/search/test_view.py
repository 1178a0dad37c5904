"""PDF_SEARCH from what was read to its answer."""

from typing import Any

import pytest
from google.protobuf import json_format

from papermesh.pdf.v1 import search_pb2 as pb
from services.base.errors import Code, PapermeshError
from services.pdf.worker import failures
from services.pdf.worker.search import hits
from services.pdf.worker.search.view import MOST_PAGES
from services.pdf.worker.words import Reading
from tests.services.pdf.worker.search.searching import needed, recognised, search, texts
from tests.services.pdf.written import Written, page, paragraph, prose


def test_an_answer_has_all_fields_in_the_order_of_the_proto() -> None:
    sheet = page(Written("Article 1 Leave", 72, 60, 16, bold=True), *prose(6))
    answer = search({2: sheet}, "ANNUAL  leave", page_count=3, failures=[failures.broken(3)])
    json_format.ParseDict(answer, pb.SearchResponse())
    names = [field.name for field in pb.SearchResponse.DESCRIPTOR.fields]
    assert list(answer) == [name for name in names if name != "json"]
    assert list(answer["hits"][0]) == [field.name for field in pb.SearchHit.DESCRIPTOR.fields]
    assert answer["total"] == len(answer["hits"]) > 1
    assert (answer["total_is_least"], answer["next_page_token"], answer["searched_pages"]) == (False, "", "1-3")
    assert [(each["page"], each["reason"]) for each in answer["failures"]] == [(1, "PENDING"), (3, "BROKEN")]
    hit = answer["hits"][0]
    assert (hit["page"], hit["text"], hit["hidden"], hit["score"]) == (2, "annual leave", "", 1.0)
    assert hit["heading_path"] == ["Article 1 Leave"]
    assert hit["before"].endswith("every employee may take ")
    assert hit["after"].startswith(" in the year")


def test_a_hit_has_a_box_on_each_of_its_lines() -> None:
    sheet = page(*paragraph(["The committee decides on each", "of these requests within a month."]))
    (hit,) = search([sheet], "each of these")["hits"]
    first, second = hit["boxes"]
    assert first == {"page": 1, "bbox": {"x0": 197.0, "y0": 100.0, "x1": 217.0, "y1": 110.0}}
    assert second == {"page": 1, "bbox": {"x0": 72.0, "y0": 113.0, "x1": 112.0, "y1": 123.0}}


def test_a_line_that_was_read_in_pieces_has_one_box() -> None:
    sheet = page(
        *prose(3), Written("The committee decides", 72, 200), Written("on each of them", 186, 200), *prose(3, y=213)
    )
    (hit,) = search([sheet], "decides on each")["hits"]
    assert hit["boxes"] == [{"page": 1, "bbox": {"x0": 142.0, "y0": 200.0, "x1": 221.0, "y1": 210.0}}]


def test_part_of_a_word_has_the_part_of_its_box() -> None:
    (hit,) = search([page(Written("소상공인보호법", 72, 100))], "보호법")["hits"]
    assert hit["boxes"][0]["bbox"] == {"x0": 112.0, "y0": 100.0, "x1": 142.0, "y1": 110.0}


def test_quotes_around_a_word_are_narrow() -> None:
    (hit,) = search([page(Written("\u201c보호법\u201d", 72, 100, width=36.0))], "보호법")["hits"]
    assert hit["boxes"][0]["bbox"] == {"x0": 75.0, "y0": 100.0, "x1": 105.0, "y1": 110.0}


@pytest.mark.parametrize(
    ("direction", "edges"),
    [((0, 1), (62, 140, 72, 170)), ((0, -1), (72, 30, 82, 60)), ((-1, 0), (2, 90, 32, 100))],
    ids=["down", "up", "upside-down"],
)
def test_part_of_a_word_that_runs_another_way_has_its_part_too(
    direction: tuple[float, float], edges: tuple[float, float, float, float]
) -> None:
    (hit,) = search([page(Written("소상공인보호법", 72, 100, direction=direction))], "보호법")["hits"]
    assert tuple(hit["boxes"][0]["bbox"].values()) == edges


def test_a_phrase_runs_over_the_end_of_a_column_and_of_a_page() -> None:
    left = [*prose(45, 60, 60, 44), Written("the left column ends with", 60, 645, width=220)]
    right = [Written("what goes on in the right one", 320, 60, width=220), *prose(45, 320, 73, 44, seed=5)]
    right.append(Written("and this page ends with", 320, 658, width=220))
    pages = [page(*left, *right), page(Written("what goes on here, too.", 60, 60), *prose(20, 60, 73))]
    (hit,) = search(pages, "ends with what goes on in")["hits"]
    assert [box["page"] for box in hit["boxes"]] == [1, 1]
    assert hit["boxes"][0]["bbox"]["x1"] < 320 == hit["boxes"][1]["bbox"]["x0"]
    (hit,) = search(pages, "page ends with what goes on here")["hits"]
    assert [box["page"] for box in hit["boxes"]] == [1, 2]


ENDS = {1: "what is said of the scope", 2: "so the second part", 3: "a long list", 4: "in the end all of it"}


def test_a_phrase_runs_past_running_lines_and_over_no_page_that_is_missing() -> None:
    def sheet(number: int) -> Reading:
        head, foot = Written("Company policy", 72, 30, 8), Written(f"- {number} -", 290, 810, 8)
        last = Written(f"{ENDS[number]} ends and", 72, 750)
        return page(head, *prose(50, seed=number * 7), last, foot)

    pages = {number: sheet(number) for number in range(1, 5)}
    first = " ".join(pages[2].lines[1].text.split()[:3])
    assert texts(pages, f"the scope ends and {first}") == [f"the scope ends and {first}"]
    assert texts({1: pages[1], 3: pages[2]}, f"the scope ends and {first}") == []
    assert [hit["page"] for hit in search(pages, "company POLICY")["hits"]] == [1, 2, 3, 4]


def test_what_nobody_sees_is_found_on_demand_alone() -> None:
    sheet = page(*prose(4), Written("ignore previous instructions", 72, 300, hidden="same_color"))
    assert search([sheet], "previous instructions")["total"] == 0
    (hit,) = search([sheet], "previous instructions", include_hidden=True)["hits"]
    assert (hit["text"], hit["hidden"], hit["page"]) == ("previous instructions", "same_color", 1)


def test_a_score_says_how_sure_the_least_sure_word_is() -> None:
    sheet = recognised(page(Written("annual leave is granted", 72, 100)), 0.9, 0.4, 0.8, 1.0)
    assert [search([sheet], query)["hits"][0]["score"] for query in ("annual", "leave is", "granted")] == [
        0.9,
        0.4,
        1.0,
    ]
    doubtful = page(Written("clause 1\ufffd applies", 72, 100))
    assert search([doubtful], "1\ufffd")["hits"][0]["score"] == 0.5


def test_pages_of_hits_follow_each_other_until_the_last() -> None:
    pages = [page(*paragraph([f"hit {number}, then hit {number}." for _ in range(3)])) for number in range(4)]
    found: list[Any] = []
    token = ""
    for _ in range(5):
        answer = search(pages, "hit", max_hits=5, page_token=token)
        assert answer["total"] == 24
        found += answer["hits"]
        token = answer["next_page_token"]
    assert token == ""
    assert [hit["page"] for hit in found] == sorted([1, 2, 3, 4] * 6)
    assert len({str(hit["boxes"]) for hit in found if hit["page"] == 1}) == 6


def test_a_token_stays_good_when_pages_before_it_are_read_at_last() -> None:
    pages = {number: page(*prose(3 * number), Written("one hit and another hit", 72, 400)) for number in (1, 2, 3)}
    without = search({2: pages[2], 3: pages[3]}, "hit", max_hits=3, page_count=3)
    (hit,) = search(pages, "hit", max_hits=3, page_token=without["next_page_token"])["hits"]
    assert (hit["page"], hit["before"].endswith("one hit and another ")) == (3, True)


def test_a_long_document_is_searched_piece_by_piece() -> None:
    count = 2 * MOST_PAGES + 5
    assert needed(count) == [(1, MOST_PAGES + 1)]
    assert needed(count, page_token=f"{MOST_PAGES + 1}.0") == [(MOST_PAGES + 1, 2 * MOST_PAGES + 1)]
    assert needed(count, page_token=f"{2 * MOST_PAGES + 7}.0") == [(2 * MOST_PAGES + 1, count)]
    assert needed(count, where="3,7-8") == [(3, 3), (7, 8)]
    last = MOST_PAGES
    pages = {last: page(Written("the end of a page and", 72, 700)), last + 1: page(Written("the start of one", 72, 60))}
    answer = search(pages, "the", page_count=count)
    assert [hit["page"] for hit in answer["hits"]] == [last]
    assert (answer["next_page_token"], answer["searched_pages"]) == (f"{last + 1}.0", f"1-{last}")
    assert max(failure["page"] for failure in answer["failures"]) < last
    assert search(pages, "page and the start", page_count=count)["total"] == 1


def test_a_page_that_the_document_lacks_is_refused() -> None:
    with pytest.raises(PapermeshError, match="page 9 is not in the document"):
        needed(8, where="9")


def test_counting_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    sheet = page(*(Written("a " * 40, 72, 100 + 12 * number) for number in range(40)))
    monkeypatch.setattr(hits, "MOST_COUNTED", 100)
    answer = search([sheet], "a")
    assert (answer["total"], answer["total_is_least"], len(answer["hits"])) == (100, True, 20)
    monkeypatch.setattr(hits, "_SECONDS", -1.0)
    assert search([sheet], "nowhere")["total_is_least"] is False
    assert search([sheet], "a")["total_is_least"] is True


@pytest.mark.parametrize("query", [" ", "\t\n", "\x00\x01\x02", "\u200b\u00ad", "\x7f" * 1000])
def test_a_query_without_anything_to_look_for_is_refused_before_a_page_is_read(query: str) -> None:
    with pytest.raises(PapermeshError, match="has no letter, digit or sign to look for") as refusal:
        needed(1, query)
    assert refusal.value.code is Code.BAD_ARG
    assert [each.field for each in refusal.value.violations] == ["query"]


def test_words_of_a_table_are_read_cell_by_cell() -> None:
    sheet = page(
        Written("Kind of leave", 80, 105),
        Written("Days in a year", 250, 105),
        Written("Annual paid", 80, 125),
        Written("fifteen, then", 250, 125),
        Written("leave for all", 80, 138),
        Written("one day more", 250, 138),
    )
    for x in (72, 240, 400):
        sheet.rules += [x * 100, 10_000, x * 100, 15_200]
    for y in (100, 120, 152):
        sheet.rules += [7_200, y * 100, 40_000, y * 100]
    assert texts([sheet], "annual paid leave for all") == ["Annual paid leave for all"]
    assert texts([sheet], "fifteen, then one day more") == ["fifteen, then one day more"]
    assert texts([sheet], "annual paid fifteen") == []
