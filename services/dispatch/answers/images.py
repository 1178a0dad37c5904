"""Pictures that an action made: given out to those who may read their document, and drawn again when they are gone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson
from google.protobuf import json_format
from google.protobuf.message import Message

from papermesh.document.v1 import document_pb2
from services.base.actions import Action
from services.base.blobs import BlobStore
from services.base.call import Call
from services.base.errors import Code, PapermeshError
from services.base.flow import Flow
from services.base.image_id import ImageId
from services.base.page_images import PageImages
from services.base.stored_blob import Namespace
from services.dispatch.admission import documents
from services.dispatch.admission.concurrency import ConcurrencyLimit
from services.dispatch.admission.verification import Caller
from services.dispatch.router import Router
from services.dispatch.uploads.lost_documents import LostDocuments

_METHOD = "/papermesh.pdf.v1.PdfService/RenderPage"
"""What makes pictures."""

_NOBODYS = "0" * 64
"""No document has this digest, so an id that names none takes the way of one that names somebody else's."""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture."""

    format: str
    """"png" or "webp"."""

    content: bytes


class Images:
    """Finds pictures by their ids."""

    def __init__(
        self, blobs: BlobStore, router: Router, concurrency: ConcurrencyLimit, lost_documents: LostDocuments
    ) -> None:
        """Finds them in `blobs`, or has them drawn through `router`, which takes a place of the caller's."""
        self._images = PageImages(blobs)
        self._router = router
        self._concurrency = concurrency
        self._lost = lost_documents
        self._action = next((each for each in router.actions.values() if each.method.path == _METHOD), None)

    @staticmethod
    def reference(image_id: str) -> document_pb2.DocumentRef:
        """The document to which whoever names this id must have a right; one that nobody has for what is no id."""
        image = ImageId.read(image_id)
        is_upload = image is not None and image.document.namespace is Namespace.UPLOADS
        digest = image.document.sha256 if image is not None and is_upload else _NOBODYS
        return document_pb2.DocumentRef(type=documents.UPLOAD, sha256=digest)

    @asynccontextmanager
    async def opened(self, image_id: str, caller: Caller, call: Call) -> AsyncIterator[Image]:
        """The picture of this id, for a caller with the right to its document.

        It takes a place of the caller's for as long as the block lasts, since all of it is in memory.

        Raises:
            PapermeshError: NOT_FOUND for a picture that there is not, or that the caller may not have drawn; what the
                drawing raises; UNAVAILABLE when the store cannot be used.
        """
        image, action = ImageId.read(image_id), self._action
        if image is None or action is None or not caller.rights.may_invoke(action.name):
            raise no_image()
        with self._concurrency.acquire(caller, action.method.service):
            record = await self._images.record(image)
            if record is None:
                raise no_image()
            content = await self._images.content(image)
            if content is None:
                request = _request(action, record.arguments, self.reference(image_id))
                content = await self._drawn(action, request, caller, call)
            yield Image(record.format, content)

    async def _drawn(self, action: Action, request: Message, caller: Caller, call: Call) -> bytes:
        """The picture, drawn again. Another engine than the first one keeps it by another id."""
        flow = Flow.of(caller.client.id, caller.actor)
        timeout_s = min(call.timeout_s, action.method.timeout.total_seconds())
        try:
            made = await self._router.call(action, request, call, flow, timeout_s)
        except PapermeshError as error:
            raise await self._lost.explained(error, caller, request) from error
        again = ImageId.read(str(orjson.loads(made.json)["image_id"]))
        content = await self._images.content(again) if again is not None else None
        if content is None:  # its document has been deleted meanwhile
            raise no_image()
        return content


def no_image() -> PapermeshError:
    """The answer about a picture that is not there, and about one of somebody else's document."""
    return PapermeshError(
        Code.NOT_FOUND,
        "There is no such picture for this client and actor. Have the page drawn again (PDF_PAGE_IMAGE).",
    )


def _request(action: Action, arguments: dict[str, object], document: document_pb2.DocumentRef) -> Message:
    """What the record says, as a request about this document.

    Raises:
        PapermeshError: NOT_FOUND for a record of another version, whose arguments mean something else.
    """
    request = action.request()
    try:
        json_format.ParseDict(arguments, request)
    except json_format.ParseError:
        raise no_image() from None
    request.doc_ref.CopyFrom(document)  # type: ignore[attr-defined]  # an action that draws a document has one
    return request
