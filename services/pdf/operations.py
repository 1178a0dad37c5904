"""What the engine can be asked: one entry declares an operation, and everything else follows from the table.

A new view of a document is a method in the proto, a module in `services/pdf/worker/` and an entry here. The servicer
gets the entry's method. Workers of its kind load, warm up and run its view. If it works on pages, they are read first,
unless they were read before.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from google.protobuf.descriptor import MethodDescriptor

from papermesh.pdf.v1 import pdf_service_pb2
from services.pdf import page_images
from services.pdf.processes.kinds import OCR, TEXT, View
from services.pdf.processes.subject import Subject

LANGUAGES = ["kor", "eng"]
"""What pictures of text are read as unless the caller says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """How many pages of a document are read."""

    in_call: int = 150
    """The most pages in one call; more belong in a job."""

    in_part: int = 32
    """The most pages that one worker reads in one go; a longer list is spread over the workers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What workers do for the service itself, on its way to an answer: no caller can ask for it."""

    name: str
    """Its name in the log."""

    view: str
    """"module:function" in a worker; the service never imports it (`services.pdf.worker.views`)."""

    content: bool = False
    """Whether the view takes bytes, under `wire.CONTENT`, instead of the document."""

    warm_up: Mapping[str, Any] = field(default_factory=dict)
    """Arguments for the run on the zygote's own document that imports everything beforehand."""

    kind: str = TEXT
    """The kind of worker that it needs."""

    def for_workers(self) -> View:
        """What a worker must know of it."""
        return View(self.view, content=self.content, warm_up=self.warm_up)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Step):
    """A question about a document."""

    method: MethodDescriptor
    """The gRPC method that it answers; this gives its request and its response."""

    arguments: Callable[[Any, Subject], dict[str, Any]] = lambda _request, _subject: {}
    """What the view gets from the request: JSON values. For a view of pages, `ocr` and `languages` are among them."""

    pages: Pages | None = None
    """Set for a view of pages, namely those in the request's `pages`: it takes what was read of them."""

    def for_workers(self) -> View:
        """As of every step, and whether it takes readings."""
        return replace(Step.for_workers(self), readings=self.pages is not None)


def reading_arguments(request: Any) -> dict[str, Any]:
    """How the pages of a request are to be read."""
    return {"ocr": request.ocr or "auto", "languages": list(request.languages) or LANGUAGES}


_METHODS = pdf_service_pb2.DESCRIPTOR.services_by_name["PdfService"].methods_by_name

OPERATIONS = (
    Operation(
        name="metadata",
        method=_METHODS["GetMetadata"],
        view="services.pdf.worker.metadata:describe",
        arguments=lambda _request, subject: {"sha256": subject.sha256},
        warm_up={"sha256": ""},
    ),
    Operation(name="outline", method=_METHODS["GetOutline"], view="services.pdf.worker.outline:describe"),
    Operation(
        name="text",
        method=_METHODS["ExtractText"],
        view="services.pdf.worker.text:describe",
        arguments=lambda request, _subject: reading_arguments(request) | {"include_hidden": request.include_hidden},
        pages=Pages(),
        warm_up={"include_hidden": True},
    ),
    Operation(
        name="layout",
        method=_METHODS["ExtractLayout"],
        view="services.pdf.worker.layout.view:describe",
        arguments=lambda request, _subject: reading_arguments(request),
        pages=Pages(),
    ),
    Operation(
        name="tables",
        method=_METHODS["ExtractTables"],
        view="services.pdf.worker.tables.view:describe",
        arguments=lambda request, _subject: reading_arguments(request) | {"csv": request.csv, "html": request.html},
        pages=Pages(),
        warm_up={"csv": True, "html": True},
    ),
    Operation(
        name="page_image",
        method=_METHODS["RenderPage"],
        view="services.pdf.worker.page_image:render",
        arguments=page_images.asked,
        warm_up=page_images.WARM_UP,
    ),
)

READ = Step(name="read", view="services.pdf.worker.read:read_pages")

PICTURE = Step(name="picture", view="services.pdf.worker.pictures:render", warm_up={"page": 1, "reason": "picture"})

RECOGNISE = Step(
    name="recognise",
    view="services.pdf.worker.recognise:read_picture",
    content=True,
    warm_up={"dpi": 150, "languages": LANGUAGES},
    kind=OCR,
)

COMPARE = Step(name="compare", view="services.pdf.worker.diff.view:describe", content=True)

ANNOTATE = Step(
    name="annotate",
    view="services.pdf.worker.annotated:annotate",
    warm_up={"marks": [[1, [[0, 0, 72, 72]], "insert", "제1조"]], "most_bytes": 1 << 24},
)

STEPS = (READ, PICTURE, RECOGNISE, COMPARE, ANNOTATE)
