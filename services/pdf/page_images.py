"""From a picture that a worker drew to the answer: kept where dispatch finds it, and named by its URL."""

import base64
import secrets
from typing import Any

import orjson
from google.protobuf import json_format

from papermesh.pdf.v1 import page_image_pb2
from services.base import page_images
from services.base.blobs import BlobStore
from services.base.image_id import ImageId
from services.base.page_images import MOST_BYTES, Drawn
from services.base.stored_blob import Key
from services.pdf.processes import outcomes
from services.pdf.processes.subject import Subject

INLINE_BYTES = 512 * 1024
"""The largest picture that stands in an answer, unless it is kept nowhere: an A4 page of text at 200 dpi has fewer."""

_PAGE, _DPI, _FORMAT, _COLOR = 1, 100, "png", "#e00070"
"""What is drawn unless the caller says otherwise."""

WARM_UP = {"page": 1, "dpi": 10, "format": "webp", "most_bytes": MOST_BYTES, "boxes": [[0, 0, 72, 72, _COLOR]]}
"""What a zygote draws on its own document."""


def asked(request: page_image_pb2.RenderPageRequest, _subject: Subject) -> dict[str, Any]:
    """What the view of a page's picture gets from a request."""
    return {
        "page": request.page or _PAGE,
        "dpi": request.dpi or _DPI,
        "format": request.format or _FORMAT,
        "most_bytes": MOST_BYTES,
        "boxes": [[box.x0, box.y0, box.x1, box.y1, box.color or _COLOR] for box in request.boxes],
    }


class KeptImages:
    """Keeps the pictures of one engine. Their ids are this process's own; whoever has one finds the picture."""

    def __init__(self, blobs: BlobStore, engine: str) -> None:
        """Keeps them in `blobs`; `engine` is the version that draws them."""
        self._images = page_images.PageImages(blobs)
        self._engine = engine
        self._key = secrets.token_bytes(32)

    async def answer(self, request: page_image_pb2.RenderPageRequest, subject: Subject, drawn: bytes) -> bytes:
        """RenderPageResponse as JSON, from what the worker said.

        A document that takes a password leaves no picture behind: it stands in the answer, however large.

        Raises:
            PapermeshError: UNAVAILABLE when the store cannot be used; ENGINE_FAIL for an answer that is none.
        """
        response, content = _believed(drawn)
        if not subject.password:
            image_id = await self._keep(asked(request, subject), subject, content)
            response |= {"url": f"/images/{image_id}", "image_id": image_id}
            if not request.inline or len(content) > INLINE_BYTES:
                response["base64"] = ""
        return orjson.dumps(response)

    async def _keep(self, arguments: dict[str, Any], subject: Subject, content: bytes) -> str:
        made_from = orjson.dumps([arguments, self._engine], option=orjson.OPT_SORT_KEYS)
        image = ImageId.make(self._key, Key.of(subject.namespace, subject.sha256), made_from)
        request = page_image_pb2.RenderPageRequest(
            page=arguments["page"],
            dpi=arguments["dpi"],
            format=arguments["format"],
            boxes=[
                page_image_pb2.DrawnBox(x0=x0, y0=y0, x1=x1, y1=y1, color=color)
                for x0, y0, x1, y1, color in arguments["boxes"]
            ],
        )
        drawn = Drawn(arguments["format"], json_format.MessageToDict(request, preserving_proto_field_name=True))
        await self._images.put(image, drawn, content)
        return str(image)


def _believed(drawn: bytes) -> tuple[dict[str, Any], bytes]:
    """A worker's answer, and the picture in it. Workers are not trusted: a bad answer is a crash."""
    try:
        response = orjson.loads(drawn)
        content = base64.b64decode(response["base64"], validate=True)
    except (KeyError, TypeError, ValueError):
        raise outcomes.engine_failed("crash") from None
    if not 0 < len(content) <= MOST_BYTES:
        raise outcomes.engine_failed("crash")
    return response, content
