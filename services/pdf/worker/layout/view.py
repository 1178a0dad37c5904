"""PDF_LAYOUT: the blocks of pages, by rules or in the boxes of the layout model."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import orjson

from services.pdf.worker.boxes import Box, boxes_in
from services.pdf.worker.layout.blocks import Block
from services.pdf.worker.layout.modelled import blocks_in
from services.pdf.worker.layout.rules import blocks_of
from services.pdf.worker.readings import Readings
from services.pdf.worker.tables.find import find_tables
from services.pdf.worker.words import Reading

_MOST_COMPARED = 1_000_000
"""Pictures and words. On a page with more, no picture is a block: they are the pieces of a drawing, or of a ground."""


def describe(readings: Readings, arguments: Mapping[str, Any]) -> bytes:
    """ExtractLayoutResponse as JSON text, all fields present.

    `boxes`, if there are any among the arguments, are what the layout model found on pages: then it made their blocks,
    but not those of pages whose words are from a picture, since it looks for the lines that a file has.
    """
    boxes = dict(arguments.get("boxes", ()))
    modelled = {page: reading for page, reading in readings.items() if page in boxes and not reading.ocr}
    ruled = {page: reading for page, reading in readings.items() if page not in modelled}
    found = blocks_in(modelled, {page: orjson.loads(boxes[page]) for page in modelled})
    found += blocks_of(ruled, _table_boxes(ruled), {page: _pictures(reading) for page, reading in ruled.items()})
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


def _table_boxes(readings: Mapping[int, Reading]) -> Mapping[int, list[Box]]:
    """Where tables stand, each part on its own page."""
    boxes: defaultdict[int, list[Box]] = defaultdict(list)
    for table in find_tables(readings):
        boxes[table.page].append(table.box)
        for part in table.continues:
            boxes[part.page].append(part.box)
    return boxes


def _pictures(reading: Reading) -> list[Box]:
    """The pictures of a page that stand beside its text: not the scan under it, nor a ground on which it is written."""
    boxes = list(boxes_in(reading.pictures))
    middles = [
        Box(*word.box).middle for line in reading.lines if not line.hidden for word in reading.words(line) if word.box
    ]
    if len(boxes) * len(middles) > _MOST_COMPARED:
        return []
    return [box for box in boxes if not any(map(box.holds, middles))]


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
