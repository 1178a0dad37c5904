"""PDF_CHUNK from a PDF to its answer."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from google.protobuf import json_format

from papermesh.pdf.v1 import chunk_pb2
from services.pdf.worker import failures
from services.pdf.worker.chunks.sizes import Size, by_tokens
from services.pdf.worker.chunks.view import describe
from services.pdf.worker.readings import Readings
from tests.services.pdf.support import open_path
from tests.services.pdf.viewing import given, text_of
from tests.services.pdf.written import page, prose

SAMPLE = Path("samples/leave-policy.pdf")


def answer_of(path: Path, limit: int = 1_200, tokens: int = 0) -> Any:
    asked = {"max_chars": limit, "max_tokens": tokens}
    return orjson.loads(describe(Readings.take(given(open_path(path), with_scans=True)), asked))


def test_an_answer_has_all_fields_in_the_order_of_the_proto() -> None:
    answer = answer_of(SAMPLE)
    json_format.ParseDict(answer, chunk_pb2.ChunkResponse())
    chunk = answer["chunks"][0]
    assert list(answer) == [field.name for field in chunk_pb2.ChunkResponse.DESCRIPTOR.fields if field.name != "json"]
    assert list(chunk) == [field.name for field in chunk_pb2.TextChunk.DESCRIPTOR.fields]
    assert list(chunk["boxes"][0]) == [field.name for field in chunk_pb2.ChunkBox.DESCRIPTOR.fields]


@pytest.mark.parametrize("limit", [100, 1_200, 8_000])
def test_places_are_those_of_what_pdf_text_gives(limit: int) -> None:
    answer = answer_of(SAMPLE, limit)
    items = text_of(open_path(SAMPLE))["items"]
    text = "".join(item["text"] for item in items)
    for chunk in answer["chunks"]:
        assert len(chunk["text"]) <= limit
        said = "".join(text[box["start"] : box["end"]] for box in chunk["boxes"])
        assert said.split() == chunk["text"].split() or "".join(said.split()) == "".join(chunk["text"].split())
        assert chunk["start"] == min(box["start"] for box in chunk["boxes"])
        assert chunk["end"] == max(box["end"] for box in chunk["boxes"])
    starts = {each["page"]: each["start"] for each in answer["page_starts"]}
    for box in (box for chunk in answer["chunks"] for box in chunk["boxes"]):
        of_page = items[box["page"] - 1]["text"]
        start = starts[box["page"]]
        assert of_page[box["start"] - start : box["end"] - start] == text[box["start"] : box["end"]]


def test_a_limit_may_be_in_tokens() -> None:
    found = [chunk["text"] for chunk in answer_of(SAMPLE, 0, 40)["chunks"]]
    assert len(found) > len(answer_of(SAMPLE)["chunks"])
    assert all(Size(40, by_tokens).fits(text) for text in found)


def test_the_leave_policy_is_cut_at_its_headings() -> None:
    paths = [chunk["heading_path"] for chunk in answer_of(SAMPLE)["chunks"]]
    assert ["Leave policy", "2. Annual leave"] in paths
    assert ["Leave policy", "휴가 규정", "제2조 (연차휴가)"] in paths


def test_pages_that_could_not_be_read_are_told() -> None:
    readings = Readings(9, [2, 3], {2: page(*prose(3))}, [failures.broken(3)])
    answer = orjson.loads(describe(readings, {"max_chars": 1_200}))
    assert [failure["page"] for failure in answer["failures"]] == [3]
    assert answer["pages"] == 9


def test_a_document_without_text_has_no_chunks() -> None:
    answer = orjson.loads(describe(Readings(1, [1], {1: page()}, []), {"max_chars": 1_200}))
    assert (answer["chunks"], answer["page_starts"]) == ([], [{"page": 1, "start": 0}])


@pytest.mark.parametrize("folder", ["mixed", "hostile"])
def test_any_document_is_cut(corpus: Path, folder: str) -> None:
    for path in sorted((corpus / folder).glob("*.pdf")):
        if "password" in path.name or path.stem == "invalid":
            continue
        answer = answer_of(path, 500)
        assert all(len(chunk["text"]) <= 500 for chunk in answer["chunks"])
