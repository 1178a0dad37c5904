"""PdfService: each method hands its document to the engine and the engine's JSON on to the caller."""

from functools import partial
from typing import TypeVar

from google.protobuf import json_format

from papermesh.document.v1 import document_pb2
from papermesh.pdf.v1 import pdf_service_pb2 as pb
from services.base.blobs import BlobStore, Namespace
from services.base.call import Call
from services.base.errors import bad_field
from services.base.flow import Flow
from services.pdf.engine import Engine
from services.pdf.processes import outcomes
from services.pdf.processes.subject import Subject

_Response = TypeVar("_Response", pb.GetMetadataResponse, pb.GetOutlineResponse, pb.ExtractTextResponse)

_NAMESPACES = {"UPLOAD": Namespace.UPLOADS, "GITLAB": Namespace.GITLAB}


class PdfServicer:
    """The document engine's methods, named as in the proto; see `services.base.handlers`."""

    def __init__(self, engine: Engine, blobs: BlobStore) -> None:
        """Serves documents of `blobs` with `engine`."""
        self._engine = engine
        self._blobs = blobs

    async def GetMetadata(self, request: pb.GetMetadataRequest, call: Call) -> pb.GetMetadataResponse:
        """Describes a document."""
        result = await self._engine.metadata(self._subject(request.doc_ref, call), call.timeout_s)
        return _answer(pb.GetMetadataResponse(), result, call)

    async def GetOutline(self, request: pb.GetOutlineRequest, call: Call) -> pb.GetOutlineResponse:
        """Returns the table of contents."""
        result = await self._engine.outline(self._subject(request.doc_ref, call), call.timeout_s)
        return _answer(pb.GetOutlineResponse(), result, call)

    async def ExtractText(self, request: pb.ExtractTextRequest, call: Call) -> pb.ExtractTextResponse:
        """Returns the text of pages."""
        result = await self._engine.text(self._subject(request.doc_ref, call), request.pages, call.timeout_s)
        return _answer(pb.ExtractTextResponse(), result, call)

    def _subject(self, reference: document_pb2.DocumentRef, call: Call) -> Subject:
        """The document, by the digest that dispatch has resolved the reference to, and whose call it is."""
        if reference.type not in _NAMESPACES or not reference.sha256:
            raise bad_field("doc_ref", "must be resolved to a digest; call the action through dispatch")
        place = partial(self._blobs.place, _NAMESPACES[reference.type], reference.sha256)
        return Subject(reference.sha256, place, Flow.read(call.metadata), call.request_id)


def _answer(response: _Response, result: bytes, call: Call) -> _Response:
    """The result as JSON text or, for a caller that did not ask for that, in the response's own fields.

    Raises PapermeshError: ENGINE_FAIL when a worker, which is not trusted, made something else.
    """
    try:
        if ("x-result", "json") in call.metadata:
            response.json = result.decode()
        else:
            json_format.Parse(result, response)
    except (UnicodeDecodeError, json_format.ParseError):
        raise outcomes.engine_failed("crash") from None
    return response
