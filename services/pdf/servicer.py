"""The engine's gRPC methods: each passes its document to the engine, and the engine's JSON to the caller."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, TypeAlias

from google.protobuf import json_format
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from papermesh.document.v1 import document_pb2
from papermesh.pdf.v1 import diff_pb2, embed_pb2, report_pb2
from services.base import results
from services.base.blobs import BlobStore, Namespace
from services.base.call import Call
from services.base.errors import bad_field
from services.base.flow import Flow
from services.base.stored_blob import PIECE_BYTES
from services.pdf.comparison import Comparison
from services.pdf.engine import Engine
from services.pdf.languages import check_languages
from services.pdf.operations import Operation
from services.pdf.processes import outcomes
from services.pdf.processes.subject import Subject
from services.pdf.reports import ReportsOfComparisons
from services.pdf.retrieval.retrieval import Retrieval

_NAMESPACES = {"UPLOAD": Namespace.UPLOADS, "GITLAB": Namespace.GITLAB}

Finish: TypeAlias = Callable[[Any, Subject, bytes], Awaitable[bytes]]
"""What the service itself adds to a response: the JSON from the request, its document and the engine's JSON."""


Answer: TypeAlias = Callable[[Any, Call], Awaitable[Message]]
"""A method of gRPC: the response to a request."""


class PdfServicer:
    """A method for each operation, named as in its proto, so that `services.base.handlers` finds it."""

    def __init__(
        self,
        operations: Iterable[Operation],
        engine: Engine,
        blobs: BlobStore,
        *,
        comparison: Comparison | None = None,
        reports: ReportsOfComparisons | None = None,
        retrieval: Retrieval | None = None,
        languages: Collection[str] = (),
        finish: Mapping[str, Finish] = MappingProxyType({}),
    ) -> None:
        """Answers with `engine` about the documents in `blobs`, and with `comparison` about two of them.

        `reports` are those of comparisons; none are kept without. Without `retrieval`, there are no vectors and no
        search by meaning. `languages` are those that callers may name; none where nothing is recognised. `finish`, by
        method, is for what no worker can add.
        """
        self._engine = engine
        self._blobs = blobs
        self._languages = languages
        self._finish = finish
        for operation in operations:
            setattr(self, operation.method.name, partial(self._answer, operation))
        if comparison is not None:
            self.Diff = partial(self._compare, comparison, reports)
        if reports is not None:
            self.MakeReport = partial(self._report, reports)
        if retrieval is not None:
            self.Embed = partial(self._embed, retrieval)
            if by_words := getattr(self, "Search", None):
                self.Search = partial(self._search, retrieval, by_words)

    async def _answer(self, operation: Operation, request: Any, call: Call) -> Message:
        """The result as JSON text or, unless the caller asked for that, in the response's own fields.

        Raises PapermeshError: ENGINE_FAIL when a worker, which is not trusted, returned anything else; BAD_ARG for
        `languages` that are not installed.
        """
        check_languages(request, self._languages)
        subject = self._subject(request.doc_ref, "doc_ref", call)
        result = await self._engine.answer(operation, request, subject, call.timeout_s)
        if result.is_partial:
            results.partial(call)
        json = result.json
        if finish := self._finish.get(operation.method.name):
            json = await finish(request, subject, json)
        return _response(GetMessageClass(operation.method.output_type), json, call)

    async def _compare(
        self, comparison: Comparison, reports: ReportsOfComparisons | None, request: diff_pb2.DiffRequest, call: Call
    ) -> Message:
        documents = self._both(request, call)
        json = (await comparison.answer(request, documents, call.timeout_s)).json
        if reports is not None:
            json = await reports.named(request, documents, json)
        return _response(diff_pb2.DiffResponse, json, call)

    async def _report(
        self, reports: ReportsOfComparisons, request: report_pb2.MakeReportRequest, call: Call
    ) -> AsyncIterator[report_pb2.MakeReportResponse]:
        content = await reports.file(request, self._both(request.comparison, call), call.timeout_s)
        yield report_pb2.MakeReportResponse(header=report_pb2.MakeReportHeader(size=len(content)))
        for start in range(0, len(content), PIECE_BYTES):
            yield report_pb2.MakeReportResponse(data=content[start : start + PIECE_BYTES])

    def _both(self, request: diff_pb2.DiffRequest, call: Call) -> tuple[Subject, Subject]:
        return self._subject(request.left, "left", call), self._subject(request.right, "right", call)

    async def _embed(self, retrieval: Retrieval, request: embed_pb2.EmbedRequest, call: Call) -> Message:
        if request.HasField("doc_ref"):
            subject = self._subject(request.doc_ref, "doc_ref", call)
            return results.answer(await retrieval.embed_chunks(request, subject, call.timeout_s), call)
        flow = Flow.read(call.metadata)
        return results.answer(await retrieval.embed_texts(request, flow, call.request_id, call.timeout_s), call)

    async def _search(self, retrieval: Retrieval, by_words: Answer, request: Any, call: Call) -> Message:
        if request.mode != "meaning":
            return await by_words(request, call)
        check_languages(request, self._languages)
        subject = self._subject(request.doc_ref, "doc_ref", call)
        return results.answer(await retrieval.search(request, subject, call.timeout_s), call)

    def _subject(self, reference: document_pb2.DocumentRef, field: str, call: Call) -> Subject:
        """The document of a field, by the digest from dispatch, and whose call it is."""
        if reference.type not in _NAMESPACES or not reference.sha256:
            raise bad_field(field, "must be resolved to a digest; call the action through dispatch")
        namespace = _NAMESPACES[reference.type]
        place = partial(self._blobs.place, namespace, reference.sha256)
        flow = Flow.read(call.metadata)
        return Subject(reference.sha256, place, flow, call.request_id, namespace, reference.password)


def _response(kind: type[Message], json: bytes, call: Call) -> Message:
    """A response as its JSON text or, unless the caller asked for that, in its own fields."""
    try:
        if results.AS_JSON in call.metadata:
            return kind(json=json.decode())
        return json_format.Parse(json, kind())
    except (UnicodeDecodeError, json_format.ParseError):
        raise outcomes.engine_failed("crash") from None
