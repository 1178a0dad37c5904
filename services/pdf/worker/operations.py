"""What a worker can be asked: a table of operations on an open document, and the outcome of each as JSON."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.pdf.pages import count_pages
from services.pdf.worker import metadata, outline, text
from services.pdf.worker.documents import Document


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of an operation."""

    payload: bytes
    """JSON text, which the service passes on or joins but does not parse."""

    header: Mapping[str, Any] = field(default_factory=dict)
    """What the service has to know about it."""


Operation = Callable[[Document, dict[str, Any]], Outcome]
"""Takes the document and the arguments; raises PapermeshError for what the caller can mend."""


def _metadata(document: Document, arguments: dict[str, Any]) -> Outcome:
    return Outcome(metadata.describe(document, arguments["sha256"]))


def _outline(document: Document, _arguments: dict[str, Any]) -> Outcome:
    return Outcome(outline.describe(document))


def _text(document: Document, arguments: dict[str, Any]) -> Outcome:
    """The text of pages, or none of it when there are more than `spread`: then the service cuts them into parts."""
    chosen = text.choose_pages(document, arguments["pages"], arguments["limit_pages"])
    if count_pages(chosen) > arguments["spread"]:
        return Outcome(b"", {"pages": document.page_count, "spread": chosen})
    part = text.extract(document, chosen, arguments["limit_bytes"])
    return Outcome(part.items + part.failures, {"pages": document.page_count, "items": len(part.items)})


OPERATIONS: Mapping[str, Operation] = {"metadata": _metadata, "outline": _outline, "text": _text}
