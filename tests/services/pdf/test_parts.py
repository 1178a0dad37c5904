"""What workers say of pages is joined by its bytes, and believed only as far as it can be true."""

from typing import Any

import orjson
import pytest

from papermesh.pdf.v1 import pdf_service_pb2 as pb
from services.base.errors import Code, PapermeshError
from services.pdf.parts import Lists, Wanted, believed_pages, join, page_count, pieces
from services.pdf.processes.process import Answer

RESPONSE = pb.ExtractTextResponse.DESCRIPTOR


def said(*found: dict[str, bytes] | list[Any]) -> Answer:
    sizes = [each if isinstance(each, list) else {name: len(items) for name, items in each.items()} for each in found]
    payload = b"".join(items for each in found if isinstance(each, dict) for items in each.values())
    return Answer({"pages": 9, "pieces": sizes}, payload)


def test_lists_are_joined_in_the_order_of_the_response_whatever_order_they_come_in() -> None:
    found = pieces(
        [
            said({"failures": b'{"page":1}', "items": b'{"page":2}'}),
            said({"items": b'{"page":3},{"page":4}'}),
            said({}),
        ],
        0,
    )
    joined = orjson.loads(join(RESPONSE, 9, lists_in(found), 1000))
    assert joined == {
        "items": [{"page": 2}, {"page": 3}, {"page": 4}],
        "pages": 9,
        "failures": [{"page": 1}],
        "hidden": [],
    }
    assert list(joined) == ["items", "pages", "failures", "hidden"]


def lists_in(found: list[Lists | Wanted]) -> list[Lists]:
    return [piece for piece in found if not isinstance(piece, Wanted)]


def test_pages_to_be_recognised_stand_between_the_pieces_where_they_belong() -> None:
    answers = [said({"items": b"1"}, [2, "no_text"], {"items": b"3,4"}), said([5, "picture"], [6, "forced"])]
    assert pieces(answers, 3) == [
        {"items": b"1"},
        Wanted(2, "no_text"),
        {"items": b"3,4"},
        Wanted(5, "picture"),
        Wanted(6, "forced"),
    ]


@pytest.mark.parametrize("found", [[[1, "no_text"], [2, "no_text"], [3, "no_text"]], [[1, "no_text"], [1, "no_text"]]])
def test_pages_to_be_recognised_that_cannot_be_true_are_an_engine_failure(found: list[Any]) -> None:
    with pytest.raises(PapermeshError) as error:
        pieces([said(*found)], 2)
    assert error.value.code is Code.ENGINE_FAIL


def test_pages_that_add_nothing_are_an_empty_result() -> None:
    joined = join(RESPONSE, 9, lists_in(pieces([said({})], 0)), 0)
    assert joined == b'{"items":[],"pages":9,"failures":[],"hidden":[]}'


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"pages": 9},
        {"pieces": {"items": 2}},
        {"pieces": None},
        {"pieces": [["items", 2]]},
        {"pieces": [[1, "no_text", 2], {"items": 2}]},
        {"pieces": [None]},
        {"pieces": [{"items": 1}]},
        {"pieces": [{"items": 3}]},
        {"pieces": [{"items": 4}, {"failures": -2}]},
        {"pieces": [{"items": "2"}]},
        {"pieces": [{"items": 2**70}]},
    ],
)
def test_an_answer_that_is_none_is_an_engine_failure(header: dict[str, Any]) -> None:
    with pytest.raises(PapermeshError) as error:
        pieces([Answer(header, b"{}")], 9)
    assert error.value.code is Code.ENGINE_FAIL


@pytest.mark.parametrize("header", [{}, {"pages": "9"}, {"pages": -9}, {"pages": 1e999}, {"pages": None}])
def test_a_number_of_pages_that_is_none_is_an_engine_failure(header: dict[str, Any]) -> None:
    with pytest.raises(PapermeshError) as error:
        page_count(Answer(header, b""))
    assert error.value.code is Code.ENGINE_FAIL


def test_all_parts_together_keep_to_the_limit() -> None:
    with pytest.raises(PapermeshError) as error:
        join(RESPONSE, 9, [{"items": b"{}"}] * 3, 5)
    assert error.value.code is Code.TOO_LARGE


def test_pages_that_can_be_true_are_believed() -> None:
    assert believed_pages([[1, 3], [7, 7]], 4) == [(1, 3), (7, 7)]
