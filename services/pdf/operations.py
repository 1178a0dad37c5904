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
from services.pdf.processes.kinds import MODEL, OCR, TEXT, View
from services.pdf.processes.subject import Subject

MAX_CHARS = 1_200
"""Characters of a chunk, at most, unless the caller says otherwise."""

LANGUAGES = ["kor", "eng"]
"""What pictures of text are read as unless the caller says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """How many pages of a document are read."""

    in_call: int = 150
    """The most pages in one call; more belong in a job."""

    in_part: int = 32
    """The most pages that one worker reads in one go; a longer list is spread over the workers."""

    all_at_once: bool = False
    """Whether the view says nothing as long as some of the pages are still to be recognised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What workers do for the service itself, on its way to an answer: no caller can ask for it."""

    name: str
    """Its name in the log."""

    view: str
    """"module:function" in a worker; the service never imports it (`services.pdf.worker.views`)."""

    content: bool = False
    """Whether the view takes its arguments alone, bytes under `wire.CONTENT` among them, and no document."""

    pair: bool = False
    """Whether those bytes are what was read of two documents, the arguments' `left` and `right`."""

    warm_up: Mapping[str, Any] = field(default_factory=dict)
    """Arguments for the run on the zygote's own document that imports everything beforehand."""

    kind: str = TEXT
    """The kind of worker that it needs."""

    def for_workers(self) -> View:
        """What a worker must know of it."""
        return View(self.view, content=self.content, pair=self.pair, warm_up=self.warm_up)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Step):
    """A question about a document."""

    method: MethodDescriptor
    """The gRPC method that it answers; this gives its request and its response."""

    arguments: Callable[[Any, Subject], dict[str, Any]] = lambda _request, _subject: {}
    """What the view gets from the request: JSON values.

    `ocr` and `languages` among them say how pages are read; for a view of pages they must be there.
    """

    pages: Pages | None = None
    """Set for a view of pages, namely those in the request's `pages`: it takes what was read of them."""

    by_model: Pages | None = None
    """`pages` where the request's `mode` is "model"; None for a view that takes nothing from the layout model."""

    def for_workers(self) -> View:
        """As of every step, and whether it takes readings."""
        return replace(Step.for_workers(self), readings=self.pages is not None)


def reading_arguments(request: Any) -> dict[str, Any]:
    """How the pages of a request are to be read."""
    return {"ocr": request.ocr or "auto", "languages": list(request.languages) or LANGUAGES}


def _search_arguments(request: Any, _subject: Subject) -> dict[str, Any]:
    return reading_arguments(request) | {
        "query": request.query,
        "mode": request.mode or "text",
        "max_hits": request.max_hits if request.HasField("max_hits") else 20,
        "page_token": request.page_token,
        "pages": request.pages,
        "include_hidden": request.include_hidden,
    }


def chunk_size(request: Any) -> dict[str, int]:
    """How long a chunk may be: in one unit, the other is 0."""
    if request.max_tokens:
        return {"max_chars": 0, "max_tokens": request.max_tokens}
    return {"max_chars": request.max_chars or MAX_CHARS, "max_tokens": 0}


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
        by_model=Pages(in_call=50),  # half a second each: two or three calls, until jobs take more
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
        name="markdown",
        method=_METHODS["ToMarkdown"],
        view="services.pdf.worker.markdown.view:describe",
        arguments=lambda request, _subject: reading_arguments(request),
        pages=Pages(),
    ),
    Operation(
        name="search",
        method=_METHODS["Search"],
        view="services.pdf.worker.search.view:describe",
        arguments=_search_arguments,
        warm_up={
            "query": "text",
            "mode": "regex",
            "max_hits": 1,
            "page_token": "",
            "pages": "",
            "include_hidden": True,
        },
    ),
    Operation(
        name="chunk",
        method=_METHODS["Chunk"],
        view="services.pdf.worker.chunks.view:describe",
        arguments=lambda request, _subject: reading_arguments(request) | chunk_size(request),
        pages=Pages(all_at_once=True),
        warm_up={"max_chars": 20},
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

EMBED = Step(
    name="embed",
    view="services.pdf.worker.embed:embed",
    content=True,
    warm_up={"texts": ["한 문장", "A sentence."], "role": "passage"},
    kind=MODEL,
)

LAYOUT_BOXES = Step(
    name="layout_boxes", view="services.pdf.worker.layout_model:find_boxes", warm_up={"page": 1}, kind=MODEL
)

LOOK = Step(name="look", view="services.pdf.worker.diff.pictures:describe", warm_up={"ranges": []})

COMPARE = Step(
    name="compare",
    view="services.pdf.worker.diff.view:describe",
    content=True,
    pair=True,
    warm_up={
        "mode": "both",
        "output": "full",
        "granularity": "word",
        "ignore": [],
        "max_changes": 1,
        "sha256": ["", ""],
        "engine": "",
        "pictures": {"left": {}, "right": {}},
    },
)

ANNOTATE = Step(
    name="annotate",
    view="services.pdf.worker.annotated:annotate",
    warm_up={"marks": [[1, [[0, 0, 72, 72]], "insert", "제1조"]], "most_bytes": 1 << 24},
)

STEPS = (READ, PICTURE, RECOGNISE, EMBED, LAYOUT_BOXES, LOOK, COMPARE, ANNOTATE)
