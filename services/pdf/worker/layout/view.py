"""PDF_LAYOUT: the blocks of pages, by rules or in the boxes of the layout model."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import orjson

from services.pdf.worker.layout.blocks import Block
from services.pdf.worker.layout.modelled import blocks_in
from services.pdf.worker.layout.structure import structure_of
from services.pdf.worker.readings import Readings


def describe(readings: Readings, arguments: Mapping[str, Any]) -> bytes:
    """ExtractLayoutResponse as JSON text, all fields present.

    `boxes`, if there are any among the arguments, are what the layout model found on pages: then it made their blocks,
    but not those of pages whose words are from a picture, since it looks for the lines that a file has.
    """
    boxes = dict(arguments.get("boxes", ()))
    modelled = {page: reading for page, reading in readings.items() if page in boxes and not reading.ocr}
    ruled = {page: reading for page, reading in readings.items() if page not in modelled}
    found = blocks_in(modelled, {page: orjson.loads(boxes[page]) for page in modelled})
    found += structure_of(ruled).blocks
    blocks: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for block in found:
        blocks[block.page].append(_described(block))
    pages = [
        {
            "page": page,
            "width": reading.width,
            "height": reading.height,
            "blocks": blocks[page],
            "mode": "model" if page in modelled else "rules",
        }
        for page, reading in readings.items()
    ]
    return orjson.dumps({"pages": pages, "failures": readings.failures})


def _described(block: Block) -> dict[str, Any]:
    return {
        "type": block.type,
        "bbox": block.box.rectangle,
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
