"""What is asked of a mesh, of whichever checkout: the bare path, and PDF_METADATA with and without the cache."""

import json
from collections.abc import Mapping
from pathlib import Path

from benchmarks import answers
from benchmarks.bare.descriptors import ACTION as BARE_ACTION
from benchmarks.rounds import Target

CACHED, METADATA, BARE = "PDF_METADATA, cached", "PDF_METADATA", "bare path"
MANY, ONE = 16, 1
"""Callers at once."""


def of_mesh(url: str, parts: Mapping[str, int], document: Path | None, folder: Path) -> list[Target]:
    """The targets of a mesh that runs.

    Args:
        url: Where its adapter answers.
        parts: The process ids of its parts.
        document: The PDF that is asked about; None where there is no document engine.
        folder: Where the bodies of the calls are written.

    Raises:
        AnswerError: when it does not take the document.
    """
    invoke = f"{url}/mcp/invoke"
    bare = Target(BARE, invoke, body(folder, "bare", {"action": BARE_ACTION, "args": {}}), parts)
    if document is None:
        return [bare]
    stored = answers.post(f"{url}/documents", document.read_bytes(), "application/pdf")
    metadata = body(folder, "metadata", {"action": "PDF_METADATA", "args": {"doc_ref": stored["data"]["doc_ref"]}})
    return [Target(CACHED, invoke, metadata, parts, fresh=False), Target(METADATA, invoke, metadata, parts), bare]


def body(folder: Path, name: str, content: object) -> Path:
    """A file with what is posted."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path
