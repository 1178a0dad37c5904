"""Arguments that do not fit the action: details.fields names each, however deep it stands."""

from typing import Any

import pytest

from tests.e2e.support.adapter import Adapter
from tests.e2e.support.deployment import Deployment

DIGEST = "0" * 64
REFERENCE = {"type": "UPLOAD", "sha256": DIGEST}


@pytest.mark.parametrize("action", ["PDF_METADATA", "PDF_OUTLINE", "PDF_TEXT"])
def test_a_missing_argument_is_named(adapter: Adapter, action: str) -> None:
    adapter.invoke(action).must_be("BAD_ARG", field="doc_ref")


def test_a_null_argument_counts_as_missing(adapter: Adapter) -> None:
    adapter.invoke("PDF_METADATA", {"doc_ref": None}).must_be("BAD_ARG", field="doc_ref")


def test_an_extra_argument_is_named_with_those_that_there_are(adapter: Adapter) -> None:
    answer = adapter.invoke("PDF_TEXT", {"doc_ref": REFERENCE, "page": "1"})
    answer.must_be("BAD_ARG", says="doc_ref, pages", field="page")


def test_every_faulty_argument_is_named_at_once(adapter: Adapter) -> None:
    answer = adapter.invoke("PDF_TEXT", {"doc_ref": {"type": 7, "sha": ""}, "pages": [], "colour": 1})
    answer.must_be("BAD_ARG")
    assert sorted(answer.fields) == ["colour", "doc_ref.sha", "doc_ref.type", "pages"]


def test_a_hundred_faulty_arguments_fit_an_answer(adapter: Adapter) -> None:
    answer = adapter.invoke("PDF_TEXT", {"제" * 60 + str(number): number for number in range(100)})
    answer.must_be("BAD_ARG", says="no such argument")
    assert 1 <= len(answer.fields) <= 20


@pytest.mark.parametrize("value", ["text", 7, [], [{}], True, 1.5])
def test_a_mistyped_document_is_named(adapter: Adapter, value: Any) -> None:
    adapter.invoke("PDF_METADATA", {"doc_ref": value}).must_be("BAD_ARG", says="must be an object", field="doc_ref")


@pytest.mark.parametrize("value", [7, [], {}, True, 1.5])
@pytest.mark.parametrize("field", ["type", "sha256"])
def test_a_mistyped_field_inside_an_argument_is_named(adapter: Adapter, field: str, value: Any) -> None:
    answer = adapter.invoke("PDF_METADATA", {"doc_ref": {**REFERENCE, field: value}})
    answer.must_be("BAD_ARG", says="must be text", field=f"doc_ref.{field}")


@pytest.mark.parametrize(
    ("reference", "field"),
    [
        ({}, "doc_ref.type"),
        ({"type": "FILE", "sha256": DIGEST}, "doc_ref.type"),
        ({"type": "upload", "sha256": DIGEST}, "doc_ref.type"),
        ({"type": "UPLOAD"}, "doc_ref"),
        ({"type": "UPLOAD", "sha256": "abc"}, "doc_ref.sha256"),
        ({"type": "UPLOAD", "sha256": DIGEST.replace("0", "A")}, "doc_ref.sha256"),
        ({"type": "UPLOAD", "sha256": DIGEST + "\n"}, "doc_ref.sha256"),
        ({"type": "UPLOAD", "sha256": "../../../etc/passwd"}, "doc_ref.sha256"),
        ({"type": "UPLOAD", "sha256": DIGEST, "path": "a.pdf"}, "doc_ref"),
        ({"type": "GITLAB"}, "doc_ref"),
        ({"type": "GITLAB", "project_path": "corp/policies", "path": "a.pdf", "sha256": DIGEST}, "doc_ref"),
        ({"type": "GITLAB", "project_path": "../corp", "path": "a.pdf"}, "doc_ref.project_path"),
        ({**REFERENCE, "extra": 1}, "doc_ref.extra"),
    ],
)
def test_a_reference_that_names_no_document_is_refused(adapter: Adapter, reference: dict[str, Any], field: str) -> None:
    adapter.invoke("PDF_METADATA", {"doc_ref": reference}).must_be("BAD_ARG", field=field)


def test_a_document_in_gitlab_is_refused_where_there_is_no_gitlab(adapter: Adapter) -> None:
    reference = {"type": "GITLAB", "project_path": "corp/policies", "path": "2025/AnnexA.pdf"}
    adapter.invoke("PDF_METADATA", {"doc_ref": reference}).must_be("BAD_ARG", says="upload")


def test_a_digest_that_nobody_uploaded_is_not_found(adapter: Adapter) -> None:
    adapter.invoke("PDF_METADATA", {"doc_ref": REFERENCE}).must_be("NOT_FOUND", says="upload")


@pytest.mark.parametrize(
    "pages",
    ["0", "9-3", "99999", "1-3,", "a", ",", "1,,2", "-1", "1-", "01", " 1", "1\n", "１", "1-99999999", "1;2", "5"],  # noqa: RUF001 - a wide digit
)
def test_pages_that_make_no_sense_are_refused(mesh: Deployment, pages: str) -> None:
    answer = mesh.adapter.ask("PDF_TEXT", mesh.good_document, pages=pages)
    answer.must_be("BAD_ARG", says="page", field="pages")


def test_an_expression_of_pages_over_its_limit_is_refused(mesh: Deployment) -> None:
    answer = mesh.adapter.ask("PDF_TEXT", mesh.good_document, pages=",".join(["1"] * 501))
    answer.must_be("BAD_ARG", field="pages")


@pytest.mark.parametrize("pages", [1, ["1"], {"from": 1}, True])
def test_pages_that_are_no_text_are_refused(mesh: Deployment, pages: Any) -> None:
    answer = mesh.adapter.ask("PDF_TEXT", mesh.good_document, pages=pages)
    answer.must_be("BAD_ARG", says="must be text", field="pages")


@pytest.mark.parametrize(
    ("pages", "read"),
    [("", [1, 2, 3]), ("2", [2]), ("2-3,1", [1, 2, 3]), ("3,1", [1, 3]), ("1-2,2-3", [1, 2, 3]), ("3-3", [3])],
)
def test_pages_that_make_sense_are_read_once_and_in_order(mesh: Deployment, pages: str, read: list[int]) -> None:
    data = mesh.adapter.ask("PDF_TEXT", mesh.good_document, pages=pages).data
    assert [item["page"] for item in data["items"]] == read
    assert data["pages"] == 3


def test_an_action_that_is_yet_to_come_is_answered_with_a_typed_error(mesh: Deployment) -> None:
    answer = mesh.adapter.invoke("GITLAB_PROJECT_INFO", {"project": {"project_path": "corp/policies"}})
    answer.must_be_well_formed()
    assert not answer.ok
    assert answer.code != "INTERNAL", answer.body
