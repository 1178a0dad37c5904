"""PDF_MARKDOWN: pages as Markdown."""

from collections.abc import Mapping
from typing import Any

import orjson

from services.pdf.worker.layout.structure import structure_of
from services.pdf.worker.markdown.write import write
from services.pdf.worker.readings import Readings
from services.pdf.worker.tables.crowded import with_crowded
from services.pdf.worker.words import Reading


def describe(readings: Readings, _arguments: Mapping[str, Any]) -> bytes:
    """ToMarkdownResponse as JSON text, all fields present."""
    failed = {failure["page"]: failure["reason"] for failure in readings.failures}
    doubts = [_doubt(page, reading) for page, reading in readings.items() if reading.ocr or reading.confidence < 1]
    return orjson.dumps(
        {
            "markdown": write(structure_of(readings), readings, failed),
            "pages": readings.page_count,
            "failures": with_crowded(readings),
            "doubts": doubts,
        }
    )


def _doubt(page: int, reading: Reading) -> dict[str, Any]:
    return {
        "page": page,
        "ocr": reading.ocr,
        "confidence": round(reading.confidence, 3),
        "ocr_reason": reading.ocr_reason,
    }
