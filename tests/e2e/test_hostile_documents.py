"""Every document of the collection gets an answer: a result, perhaps a partial one, or a typed error; never a crash."""

import hashlib
import re
import secrets
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.e2e.support.adapter import Answer
from tests.e2e.support.deployment import Deployment

ACTIONS = (
    "PDF_METADATA",
    "PDF_OUTLINE",
    "PDF_TEXT",
    "PDF_LAYOUT",
    "PDF_TABLES",
    "PDF_MARKDOWN",
    "PDF_SEARCH",
    "PDF_CHUNK",
    "PDF_PAGE_IMAGE",
)

HOSTILE = (
    "enormous",
    "hugemono",
    "invalid",
    "libreoffice-writer-password",
    "no_contents",
    "truetype_font_nomapping",
    "type3_font_nomapping",
)

Data: TypeAlias = dict[str, Any]

A_DOCUMENTS_FAULT = {"BAD_ARG", "TOO_LARGE"}

REASONS = {"BROKEN", "MODEL_PENDING", "OCR_FAILED", "OCR_PENDING", "PENDING", "SCAN", "TOO_LARGE"}
"""Why a page is missing from a result."""


ARGUMENTS: dict[str, dict[str, str]] = {"PDF_SEARCH": {"query": "a"}}
"""What an action wants to know besides the document."""


def ask(mesh: Deployment, action: str, document: Path | bytes) -> Answer:
    return mesh.adapter.ask(action, document, **ARGUMENTS.get(action, {}))


def must_be_an_answer(action: str, answer: Answer) -> None:
    """Fails unless the answer is a whole result, one that names what is missing, or an error that is the document's."""
    answer.must_be_well_formed()
    if not answer.ok:
        assert answer.code in A_DOCUMENTS_FAULT, answer.body
        return
    if action == "PDF_PAGE_IMAGE":
        assert 0 < answer.data["width"] * answer.data["height"] <= 16_000_000
        return
    failed = [failure["page"] for failure in answer.data["failures"]]
    for failure in answer.data["failures"]:
        assert failure["reason"] in REASONS, failure
        assert failure["message"].endswith(".")
    MUST[action](answer.data, failed)


def _text(data: Data, failed: list[int]) -> None:
    assert sorted([item["page"] for item in data["items"]] + failed) == list(range(1, data["pages"] + 1))
    assert all(isinstance(item["text"], str) and 0 <= item["confidence"] <= 1 for item in data["items"])


def _metadata(data: Data, failed: list[int]) -> None:
    assert data["pages"] >= 1
    assert data["page_sizes"] or failed


def _layout(data: Data, failed: list[int]) -> None:
    pages = [page["page"] for page in data["pages"]] + failed
    assert sorted(pages) == list(range(1, max(pages) + 1))


def _tables(data: Data, _failed: list[int]) -> None:
    assert all(table["rows"] and 1 <= table["page"] <= data["pages"] for table in data["tables"])


def _markdown(data: Data, _failed: list[int]) -> None:
    said = re.findall(r"<!-- page (\d+)(?: not read: [A-Z_]+)? -->", data["markdown"])
    assert [int(page) for page in said] == list(range(1, data["pages"] + 1))
    assert all(0 <= doubt["confidence"] <= 1 for doubt in data["doubts"])


def _search(data: Data, _failed: list[int]) -> None:
    assert len(data["hits"]) == min(data["total"], 20)
    assert all(1 <= hit["page"] <= data["pages"] and hit["text"] for hit in data["hits"])


def _chunk(data: Data, _failed: list[int]) -> None:
    assert all(0 < len(chunk["text"]) <= 1_200 for chunk in data["chunks"])
    assert all(1 <= chunk["first_page"] <= chunk["last_page"] <= data["pages"] for chunk in data["chunks"])


def _outline(data: Data, _failed: list[int]) -> None:
    assert all(entry["title"] and entry["level"] >= 1 for entry in data["entries"])


MUST = {
    "PDF_METADATA": _metadata,
    "PDF_OUTLINE": _outline,
    "PDF_TEXT": _text,
    "PDF_LAYOUT": _layout,
    "PDF_TABLES": _tables,
    "PDF_MARKDOWN": _markdown,
    "PDF_SEARCH": _search,
    "PDF_CHUNK": _chunk,
}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_harms_nobody(mesh: Deployment, corpus: Path, name: str, action: str) -> None:
    must_be_an_answer(action, ask(mesh, action, corpus / "hostile" / f"{name}.pdf"))


@pytest.mark.measures_time  # the first question loads the model
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_does_no_harm_to_the_layout_model_either(mesh: Deployment, corpus: Path, name: str) -> None:
    must_be_an_answer("PDF_LAYOUT", mesh.adapter.ask("PDF_LAYOUT", corpus / "hostile" / f"{name}.pdf", mode="model"))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_is_compared_with_an_honest_one_or_refused(
    mesh: Deployment, corpus: Path, name: str
) -> None:
    sides = [mesh.adapter.reference(path) for path in (corpus / "hostile" / f"{name}.pdf", mesh.good_document)]
    for left, right in (sides, sides[::-1]):
        answer = mesh.adapter.invoke("PDF_DIFF", {"left": left, "right": right})
        answer.must_be_well_formed()
        if answer.ok:
            assert answer.data["relation"] == "different" or answer.data["changes"] or not answer.data["complete"]
        else:
            assert answer.code in A_DOCUMENTS_FAULT, answer.body


def test_no_hostile_document_is_left_out(corpus: Path) -> None:
    assert {file.stem for file in (corpus / "hostile").iterdir()} == set(HOSTILE)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("folder", ["mixed", "scan", "text"])
def test_every_ordinary_document_is_answered(mesh: Deployment, corpus: Path, folder: str, action: str) -> None:
    documents = sorted((corpus / folder).glob("*.pdf"))
    assert documents
    for document in documents:
        must_be_an_answer(action, ask(mesh, action, document))
        mesh.must_still_work()


@pytest.mark.parametrize("action", ACTIONS)
def test_an_encrypted_document_says_so(mesh: Deployment, corpus: Path, action: str) -> None:
    answer = ask(mesh, action, corpus / "mixed" / "libreoffice-writer-password.pdf")
    answer.must_be("BAD_ARG", says="encrypted", reason="encrypted")


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    "content", [b"%PDF-1.7", b"%PDF-1.7\n" + b"\x00\xff" * 5000 + b"\n%%EOF"], ids=["head-only", "noise"]
)
def test_what_is_no_document_says_so(mesh: Deployment, action: str, content: bytes) -> None:
    ask(mesh, action, content).must_be("BAD_ARG", reason="broken")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"hello", "text"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "png"),
        (b"PK\x03\x04" + bytes(100), "zip"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "text"),
    ],
    ids=["text", "png", "zip", "svg"],
)
def test_what_does_not_begin_as_a_document_is_not_even_stored(mesh: Deployment, content: bytes, kind: str) -> None:
    mesh.adapter.upload(content).must_be("BAD_ARG", reason="not_pdf", kind=kind)
    digest = hashlib.sha256(content).hexdigest()
    mesh.adapter.request("GET", f"/documents/{digest}").must_be("NOT_FOUND")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_document_that_was_cut_off_is_answered(mesh: Deployment, corpus: Path, share: float) -> None:
    content = (corpus / "mixed" / "pdflatex-outline.pdf").read_bytes()
    for action in ACTIONS:
        must_be_an_answer(action, ask(mesh, action, content[: int(len(content) * share)]))


@pytest.mark.parametrize("seed", range(5))
def test_a_document_with_damage_here_and_there_is_answered(mesh: Deployment, corpus: Path, seed: int) -> None:
    content = bytearray((corpus / "mixed" / "pdflatex-outline.pdf").read_bytes())
    for number in range(997 + seed, len(content), 997):  # what does not begin as a PDF is not even stored
        content[number] ^= 0xFF
    for action in ACTIONS:
        must_be_an_answer(action, ask(mesh, action, bytes(content)))


def test_no_answer_about_a_document_shows_where_it_is_kept(mesh: Deployment, corpus: Path) -> None:
    for file in sorted((corpus / "hostile").iterdir()):
        for action in ACTIONS:
            body = str(ask(mesh, action, file).body)
            for words in (str(mesh.stack.folders.root), "work/", "document-", "/tmp"):  # noqa: S108 - what must not be seen
                assert words not in body


def test_a_document_of_another_kind_behind_a_good_name_does_not_fool_anybody(mesh: Deployment) -> None:
    answer = mesh.adapter.request(
        "POST", "/documents", files={"file": ("good.pdf", secrets.token_bytes(1000), "application/pdf")}
    )
    answer.must_be("BAD_ARG", reason="not_pdf")
