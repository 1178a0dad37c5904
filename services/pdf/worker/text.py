"""PDF_TEXT: the text of pages, and on demand what nobody sees of it."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from services.pdf.worker.readings import Readings
from services.pdf.worker.words import UNITS, Reading


def describe(readings: Readings, arguments: Mapping[str, Any]) -> bytes:
    """ExtractTextResponse as JSON text, all fields present; `hidden` is empty without `arguments["include_hidden"]`."""
    with_hidden = arguments.get("include_hidden")
    return orjson.dumps(
        {
            "items": [_item(page, reading) for page, reading in readings.items()],
            "pages": readings.page_count,
            "failures": readings.failures,
            "hidden": [each for page in readings for each in _hidden(page, readings[page])] if with_hidden else [],
        }
    )


def _item(page: int, reading: Reading) -> dict[str, Any]:
    return {
        "page": page,
        "text": reading.text,
        "ocr": reading.ocr,
        "confidence": round(reading.confidence, 3),
        "ocr_reason": reading.ocr_reason,
    }


def _hidden(page: int, reading: Reading) -> Iterator[dict[str, Any]]:
    """Each HiddenText; one without text is about the whole page."""
    for line in reading.lines:
        if line.hidden:
            edges = [edge / UNITS for edge in line.boxes[:4]] or [0.0, 0.0, reading.width, reading.height]
            bbox = dict(zip(("x0", "y0", "x1", "y1"), edges, strict=True))
            yield {"page": page, "text": line.text, "reason": line.hidden, "bbox": bbox}
