"""PDF_CHUNK: pages cut into chunks."""

from collections.abc import Mapping
from typing import Any

import orjson

from services.pdf.worker.chunks.chunks import Chunk, chunks_of
from services.pdf.worker.chunks.passages import DocumentText
from services.pdf.worker.chunks.sizes import Size, by_tokens
from services.pdf.worker.readings import Readings


def describe(readings: Readings, arguments: Mapping[str, Any]) -> bytes:
    """ChunkResponse as JSON text, all fields present.

    No chunk has more than `arguments["max_chars"]` characters or, if that is 0, `arguments["max_tokens"]` tokens.
    """
    max_chars = arguments["max_chars"]
    size = Size(max_chars) if max_chars else Size(arguments["max_tokens"], by_tokens)
    text = DocumentText(readings)
    return orjson.dumps(
        {
            "chunks": [described(chunk) for chunk in chunks_of(readings, size, text)],
            "failures": readings.failures,
            "pages": readings.page_count,
            "page_starts": [{"page": page, "start": start} for page, start in text.starts.items()],
        }
    )


def described(chunk: Chunk) -> dict[str, Any]:
    """The chunk as TextChunk."""
    pages = [place.page for place in chunk.places]
    return {
        "text": chunk.text,
        "first_page": min(pages),
        "last_page": max(pages),
        "heading_path": chunk.path,
        "boxes": [
            {
                "page": place.page,
                "bbox": place.box.rectangle,
                "start": place.start,
                "end": place.end,
            }
            for place in chunk.places
        ],
        "start": min(place.start for place in chunk.places),
        "end": max(place.end for place in chunk.places),
    }
