"""What the engine can be asked: one entry says all that an operation is, and everything else follows from the table.

A new view of a document is a method in the proto, a module in `services/pdf/worker/` and an entry here. The entry's
method becomes the servicer's, its view is loaded, warmed up and run by workers of its kind, and where it is on pages,
they are cut and joined as its response says.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.descriptor import MethodDescriptor

from papermesh.pdf.v1 import pdf_service_pb2
from services.pdf.processes.kinds import TEXT
from services.pdf.processes.subject import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """How many pages of a document are read."""

    in_call: int = 150
    """Pages that one call may ask for; more belong in a job."""

    in_part: int = 32
    """Pages that one worker reads in one go; a longer list is cut and spread over the workers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A question about a document.

    Raises ValueError for one on pages whose response has other fields than lists, which parts add to, `pages`, the
    number of pages in the whole document, and `json`.
    """

    name: str
    """As the log has it."""

    method: MethodDescriptor
    """The gRPC method that it answers, and so its request and its response."""

    view: str
    """"module:function" in a worker; the service never imports it (`services.pdf.worker.views`)."""

    arguments: Callable[[Any, Subject], dict[str, Any]] = lambda _request, _subject: {}
    """What the view is told besides the document, out of the request: JSON values, and bytes under `wire.CONTENT`."""

    pages: Pages | None = None
    """Set for a view that reads page by page: those that the request's `pages` names."""

    warm_up: Mapping[str, Any] = field(default_factory=dict)
    """Arguments for the run on the zygote's own document that leaves nothing to be imported later."""

    kind: str = TEXT
    """The kind of worker that it needs."""

    def __post_init__(self) -> None:
        fields = self.method.output_type.fields
        if self.pages and not all(each.is_repeated or each.name in ("pages", "json") for each in fields):
            raise ValueError(f"{self.method.output_type.full_name} cannot be joined from parts")


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
    Operation(name="text", method=_METHODS["ExtractText"], view="services.pdf.worker.text:read_page", pages=Pages()),
)
