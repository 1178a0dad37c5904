"""A new view, as somebody would add one to `services/pdf/worker/`: the size of each page's sheet."""

from collections.abc import Mapping
from typing import Any

import orjson

from services.pdf.worker.readings import Readings


def describe(readings: Readings, arguments: Mapping[str, Any]) -> bytes:
    """ExtractLayoutResponse without blocks, in units of which `arguments["per_point"]` are a point."""
    per_point = arguments["per_point"]
    pages = [
        {"page": page, "width": per_point * reading.width, "height": per_point * reading.height, "blocks": []}
        for page, reading in readings.items()
    ]
    return orjson.dumps({"pages": pages, "failures": readings.failures})
