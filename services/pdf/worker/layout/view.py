"""PDF_LAYOUT: the blocks of pages, by rules."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import orjson

from services.pdf.worker.layout.blocks import Block
from services.pdf.worker.layout.structure import structure_of
from services.pdf.worker.readings import Readings


def describe(readings: Readings, _arguments: Mapping[str, Any]) -> bytes:
    """ExtractLayoutResponse as JSON text, all fields present."""
    blocks: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for block in structure_of(readings).blocks:
        blocks[block.page].append(_described(block))
    pages = [
        {"page": page, "width": reading.width, "height": reading.height, "blocks": blocks[page]}
        for page, reading in readings.items()
    ]
    return orjson.dumps({"pages": pages, "failures": readings.failures})


def _described(block: Block) -> dict[str, Any]:
    return {
        "type": block.type,
        "bbox": {name: round(edge, 2) for name, edge in block.box._asdict().items()},
        "font": block.font,
        "size": block.size,
        "bold": block.bold,
        "italic": block.italic,
        "text": block.text,
        "level": block.level,
        "depth": block.depth,
        "marker": block.marker,
        "confidence": round(block.confidence, 3),
        "continues": block.continues,
    }
