"""A scan is read once, and what was read of it goes with it, from the store and from disk, while everything runs."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.support.adapter import Answer
from tests.e2e.support.deployment import Deployment, deployed
from tests.e2e.support.waiting import eventually
from tests.support.disks import files_in
from tests.support.pdfs import scan
from tests.support.programs import needed

pytestmark = pytest.mark.measures_time

COPIES = 5
"""The document; what was recognised, in the store and on pdf's disk; there also the page's reading, and how many pages
there are."""


@pytest.fixture(scope="module")
def mesh(good_document: Path) -> Iterator[Deployment]:
    needed("tesseract", "tesseract-ocr tesseract-ocr-kor tesseract-ocr-script-hang")
    with deployed(good_document) as deployment:
        yield deployment


def copies(mesh: Deployment, sha256: str) -> list[Path]:
    """Every file of the whole deployment whose path names a document."""
    return [file for file in files_in(mesh.stack.folders.root) if sha256 in str(file)]


def has_copies(mesh: Deployment, sha256: str) -> bool:
    return len(copies(mesh, sha256)) == COPIES


def read(mesh: Deployment, reference: dict[str, str]) -> Answer:
    """The text of a scan, asked for until it is there."""
    answers: list[Answer] = []

    def is_read() -> bool:
        answers.append(mesh.adapter.invoke("PDF_TEXT", {"doc_ref": reference}))
        return not answers[-1].data["failures"]

    eventually(is_read, 60, "recognition")
    return answers[-1]


def test_a_scan_is_read_and_once_deleted_leaves_nothing_within_a_minute(mesh: Deployment) -> None:
    gone, other = (mesh.adapter.reference(scan(f"The {name} page of the policy.")) for name in ("first", "second"))
    [item] = read(mesh, gone).data["items"]
    assert (item["text"], item["ocr"], item["ocr_reason"]) == ("The first page of the policy.\n", True, "no_text")
    read(mesh, other)
    for each in (gone, other):
        eventually(partial(has_copies, mesh, each["sha256"]), 10, "all that is kept")
    assert mesh.adapter.request("DELETE", f"/documents/{gone['sha256']}").ok
    assert all(file.is_relative_to(mesh.stack.folders.work("pdf")) for file in copies(mesh, gone["sha256"]))
    eventually(lambda: not copies(mesh, gone["sha256"]), 60, "the last copy's end")
    assert has_copies(mesh, other["sha256"])


def test_what_was_recognised_outlives_a_restart(mesh: Deployment) -> None:
    reference = mesh.adapter.reference(scan("Kept over a restart."))
    first = read(mesh, reference)
    mesh.stack.part("pdf").stop()
    mesh.stack.part("pdf").start()
    mesh.stack.wait_until_ready()
    eventually(mesh.works, 30, "a good call")
    again = mesh.adapter.invoke("PDF_TEXT", {"doc_ref": reference}, **{"Cache-Control": "no-cache"})
    assert again.data == first.data
    assert again.meta["latency_ms"] < 2000, "recognising it again takes longer, with the start of its workers"
