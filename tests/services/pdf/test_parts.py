"""What workers say of pages is joined by its bytes, and believed only as far as it can be true."""

from typing import Any

import orjson
import pytest

from papermesh.pdf.v1 import pdf_service_pb2 as pb
from services.base.errors import Code, PapermeshError
from services.pdf.parts import believed_pages, join
from services.pdf.processes.process import Answer

RESPONSE = pb.ExtractTextResponse.DESCRIPTOR


def said(**lists: bytes) -> Answer:
    header = {"pages": 9, "lists": {name: len(items) for name, items in lists.items()}}
    return Answer(header, b"".join(lists.values()))


def test_lists_are_joined_in_the_order_of_the_response_whatever_order_they_come_in() -> None:
    answers = [said(failures=b'{"page":1}', items=b'{"page":2}'), said(items=b'{"page":3},{"page":4}'), said()]
    joined = orjson.loads(join(RESPONSE, answers, 1000))
    assert joined == {
        "items": [{"page": 2}, {"page": 3}, {"page": 4}],
        "pages": 9,
        "failures": [{"page": 1}],
        "hidden": [],
    }
    assert list(joined) == ["items", "pages", "failures", "hidden"]


def test_pages_that_add_nothing_are_an_empty_result() -> None:
    assert join(RESPONSE, [said()], 0) == b'{"items":[],"pages":9,"failures":[],"hidden":[]}'


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"pages": 9},
        {"lists": {"items": 2}},
        {"pages": "9", "lists": {"items": 2}},
        {"pages": -9, "lists": {"items": 2}},
        {"pages": 1e999, "lists": {"items": 2}},
        {"pages": 9, "lists": ["items"]},
        {"pages": 9, "lists": None},
        {"pages": 9, "lists": {"items": 1}},
        {"pages": 9, "lists": {"items": 3}},
        {"pages": 9, "lists": {"items": 4, "failures": -2}},
        {"pages": 9, "lists": {"items": "2"}},
        {"pages": 9, "lists": {"items": 2**70}},
    ],
)
def test_an_answer_that_is_none_is_an_engine_failure(header: dict[str, Any]) -> None:
    with pytest.raises(PapermeshError) as error:
        join(RESPONSE, [Answer(header, b"{}")], 1000)
    assert error.value.code is Code.ENGINE_FAIL


def test_all_parts_together_keep_to_the_limit() -> None:
    with pytest.raises(PapermeshError) as error:
        join(RESPONSE, [said(items=b"{}")] * 3, 5)
    assert error.value.code is Code.TOO_LARGE


def test_pages_that_can_be_true_are_believed() -> None:
    assert believed_pages([[1, 3], [7, 7]], 4) == [(1, 3), (7, 7)]
