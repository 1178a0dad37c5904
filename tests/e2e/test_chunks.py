"""PDF_CHUNK through the whole mesh, made by a confined worker."""

from typing import Any

import pytest

from tests.conftest import ROOT
from tests.e2e.support.deployment import Deployment

LIBRARY = ROOT / "samples" / "library"


@pytest.mark.parametrize("limit", [{}, {"max_chars": 100}, {"max_tokens": 40}], ids=str)
def test_the_places_of_chunks_are_places_in_the_text(mesh: Deployment, limit: dict[str, int]) -> None:
    document = LIBRARY / "supply.ko.pdf"
    answer = mesh.adapter.ask("PDF_CHUNK", document, **limit).data
    text = "".join(item["text"] for item in mesh.adapter.ask("PDF_TEXT", document).data["items"])
    assert len(answer["chunks"]) >= 27
    for chunk in answer["chunks"]:
        said = "".join(text[box["start"] : box["end"]] for box in chunk["boxes"])
        assert "".join(said.split()) == "".join(chunk["text"].split())
        assert len(chunk["text"]) <= limit.get("max_chars", 1_200)


def test_a_scan_is_cut_like_any_document(mesh: Deployment) -> None:
    answer = mesh.adapter.ask("PDF_CHUNK", LIBRARY / "paper.en.scan.pdf", languages=["eng"])
    if not answer.ok:  # a slow machine: the same call goes on
        answer.must_be("TOO_LARGE", says="same call", reason="ocr_pending")
        return
    assert any("polyurethane" in chunk["text"].lower() for chunk in answer.data["chunks"])


@pytest.mark.parametrize(
    ("asked", "says", "field"),
    [
        ({"max_chars": 1}, "from 100 to 8000", "max_chars"),
        ({"max_chars": 1_000_000}, "from 100 to 8000", "max_chars"),
        ({"max_tokens": 1}, "from 30 to 4000", "max_tokens"),
        ({"max_chars": 500, "max_tokens": 100}, "not both", ""),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(mesh: Deployment, asked: dict[str, Any], says: str, field: str) -> None:
    answer = mesh.adapter.ask("PDF_CHUNK", mesh.good_document, **asked)
    answer.must_be("BAD_ARG", says=says, **({"field": field} if field else {}))


def test_a_limit_of_0_is_the_default(mesh: Deployment) -> None:
    chunks = mesh.adapter.ask("PDF_CHUNK", mesh.good_document, max_chars=0).data["chunks"]
    assert chunks == mesh.adapter.ask("PDF_CHUNK", mesh.good_document, max_chars=1_200).data["chunks"]
