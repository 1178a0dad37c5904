"""The picture of a page for people and agents: in colour, with boxes drawn on it, as PNG or WebP."""

import base64
import io
import math
from collections.abc import Mapping
from typing import Any

import orjson
from PIL import Image, ImageDraw, PngImagePlugin, WebPImagePlugin

from services.base.errors import bad_arg, bad_field, too_large
from services.pdf.worker.boxes import Box
from services.pdf.worker.documents import Document, attempt
from services.pdf.worker.drawing import COLOUR, draw, sheet_of

_PACK = {"png": PngImagePlugin.PngImageFile.format, "webp": WebPImagePlugin.WebPImageFile.format}
"""Pillow's names of the formats. It would import their modules when they are first used, which a worker may not."""

MOST_PIXELS = 16_000_000
"""A3 at 200 dpi twice over. Drawing so many takes 48 MB, and packing them at most two seconds."""

_WEBP_SIDE = 16_383
"""Pixels along a side, at most: the format has 14 bits for them."""

_FRAME_POINTS = 1.5
"""How thick a box's frame is."""

_TINT = 48
"""How opaque its inside is, of 255: what is written there stays legible."""

_PNG_LEVEL = 3
"""Of 9: pages of text have fewer bytes than at Pillow's 6, in two thirds of the time."""

_WEBP_QUALITY, _WEBP_EFFORT = 80, 2
"""Of 100, and of 6: letters have no fringes, and an A4 page at 200 dpi takes a quarter of a second."""


def render(document: Document, arguments: Mapping[str, Any]) -> bytes:
    """RenderPageResponse as JSON text, always with the picture's base64, and without what the service adds.

    Args:
        document: The document.
        arguments: `page`, from 1; `dpi`; `format`, "png" or "webp"; `most_bytes` of the picture; `boxes`, each a list
            of its four edges in points and its colour, "#rrggbb".

    Raises:
        PapermeshError: BAD_ARG for a page that the document does not have, or that cannot be drawn, and for a box that
            is not on the page; TOO_LARGE over a limit.
    """
    page, dpi, packed_as = arguments["page"], arguments["dpi"], arguments["format"]
    if page > document.page_count:
        raise bad_field("page", f"page {page} is not in the document, which has {document.page_count} pages")
    image = attempt(_draw, document, arguments, otherwise=None)
    if image is None:
        raise bad_arg(f"The content of page {page} cannot be parsed, so it cannot be drawn.", reason="broken_page")
    packed = _pack(image, packed_as)
    most = arguments["most_bytes"]
    if len(packed) > most:
        way_out = "a lower dpi" if packed_as == "webp" else "a lower dpi, or for webp"
        raise too_large(f"The picture has more than {most} bytes. Ask for {way_out}.", limit_bytes=most)
    return orjson.dumps(
        {
            "url": "",
            "width": image.width,
            "height": image.height,
            "format": packed_as,
            "base64": base64.b64encode(packed).decode(),
            "page": page,
            "dpi": dpi,
            "size": len(packed),
            "image_id": "",
        }
    )


def _draw(document: Document, arguments: Mapping[str, Any]) -> Image.Image:
    page, dpi, packed_as, boxes = (arguments[name] for name in ("page", "dpi", "format", "boxes"))
    sheet = sheet_of(document, page)
    _check_size(sheet, dpi, packed_as)
    marks = [(_on(sheet, index, Box(*edges)), color) for index, (*edges, color) in enumerate(boxes)]
    drawing = draw(document, page, dpi, space=COLOUR)
    image = Image.frombytes("RGB", (drawing.width, drawing.height), drawing.pixels)
    pen = ImageDraw.Draw(image, "RGBA")
    scale = dpi / 72
    thick = max(1, round(_FRAME_POINTS * scale))
    for box, color in marks:
        x0, y0, x1, y1 = (edge * scale for edge in box)
        red, green, blue = bytes.fromhex(color[1:])
        # Around the box, not upon it: the frame must not cover what it points at.
        around = (x0 - thick, y0 - thick, x1 + thick, y1 + thick)
        pen.rectangle(around, fill=(red, green, blue, _TINT), outline=(red, green, blue, 255), width=thick)
    return image


def _check_size(sheet: Box, dpi: int, packed_as: str) -> None:
    """Refuses a page of too many pixels, in all or, for webp, along a side.

    Raises:
        PapermeshError: TOO_LARGE, with a resolution that fits.
    """
    # A pixel more than computed is drawn at two of the edges.
    fits = math.floor(72 * math.sqrt(MOST_PIXELS / ((sheet.x1 + 72 / dpi) * (sheet.y1 + 72 / dpi))))
    size = f"{sheet.x1:.0f} x {sheet.y1:.0f} points"
    if dpi > fits:
        way_out = f"Ask for at most {fits} dpi." if fits >= 1 else "It cannot be drawn."
        message = f"At {dpi} dpi the page, {size}, has more than {MOST_PIXELS} pixels. {way_out}"
        raise too_large(message, limit_pixels=MOST_PIXELS)
    if packed_as == "webp" and math.ceil(max(sheet.x1, sheet.y1) * (dpi / 72)) > _WEBP_SIDE:
        message = f"At {dpi} dpi a side of the page, {size}, has more than {_WEBP_SIDE} pixels. Ask for png."
        raise too_large(message, limit_side_pixels=_WEBP_SIDE)


def _on(sheet: Box, index: int, box: Box) -> Box:
    """The part of a box that is on the sheet.

    Raises:
        PapermeshError: BAD_ARG for a box without area, or one beside the page.
    """
    if not box.x0 < box.x1 or not box.y0 < box.y1:
        raise bad_field(f"boxes[{index}]", "x0 must be less than x1, and y0 less than y1")
    shown = box.common(sheet)
    if not shown.area:
        size = f"{sheet.x1:.0f} x {sheet.y1:.0f} points"
        raise bad_field(f"boxes[{index}]", f"lies beside the page, which has {size} from its top left")
    return shown


def _pack(image: Image.Image, packed_as: str) -> bytes:
    packed = io.BytesIO()
    # Each ignores what is said to the other.
    image.save(packed, _PACK[packed_as], compress_level=_PNG_LEVEL, quality=_WEBP_QUALITY, method=_WEBP_EFFORT)
    return packed.getvalue()
