"""A scan on a cluster: recognised in a restricted pod, and kept for all pods beside the documents."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.conftest import Upgraded
from tests.cluster.support.asking import Asker, asking
from tests.cluster.support.kubectl import execute
from tests.e2e.support.waiting import eventually
from tests.support.pdfs import scan

pytestmark = pytest.mark.timeout(900)

BLOBS = "/var/lib/papermesh/blobs"
WORDS = "Annual leave is fifteen days."


@pytest.fixture(scope="module")
def asker(upgraded: Upgraded) -> Iterator[Asker]:
    with asking(upgraded.release) as asker:
        yield asker


def in_pdf(upgraded: Upgraded, *command: str) -> list[str]:
    """What a command prints in each pod of pdf."""
    release = upgraded.release
    return [execute(release.namespace, pod["metadata"]["name"], *command) for pod in release.pods("pdf")]


def test_a_scan_is_recognised_and_every_pod_has_what_was_read(upgraded: Upgraded, asker: Asker) -> None:
    reference = asker.upload(scan(WORDS))
    answers: list[dict[str, Any]] = []

    def is_read() -> bool:
        answers.append(asker.invoke("PDF_TEXT", {"doc_ref": reference}))
        return not answers[-1]["data"]["failures"]

    eventually(is_read, 120, "recognition")
    assert [(item["text"].strip(), item["ocr"]) for item in answers[-1]["data"]["items"]] == [(WORDS, True)]
    there = in_pdf(upgraded, "find", f"{BLOBS}/readings", "-type", "f", "-path", f"*{reference['sha256']}*")
    assert [len(files.splitlines()) for files in there] == [1] * len(there)


def test_pdf_writes_among_the_readings_and_to_no_document(upgraded: Upgraded) -> None:
    attempt = f"touch {BLOBS}/readings/new && rm {BLOBS}/readings/new; touch {BLOBS}/new 2>&1 || true"
    for said in in_pdf(upgraded, "sh", "-c", attempt):
        assert "Read-only file system" in said
        assert said.count("\n") == 1
