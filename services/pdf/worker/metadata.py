"""PDF_METADATA: what a document says about itself."""

from collections.abc import Mapping
from typing import Any

import orjson

from services.pdf.pages import ranges_of
from services.pdf.worker import failures
from services.pdf.worker.annotations import Annotated
from services.pdf.worker.dates import to_rfc3339
from services.pdf.worker.documents import Document, raise_if_out_of_memory
from services.pdf.worker.extras import read_extras
from services.pdf.worker.failures import PageFailure
from services.pdf.worker.look import count_letters
from services.pdf.worker.mupdf import mupdf
from services.pdf.worker.page_boxes import find_page
from services.pdf.worker.readings import Readings
from services.pdf.worker.strings import fit
from services.pdf.worker.text_strings import read_text_string
from services.pdf.worker.xmp import read_xmp

SAMPLED_PAGES = 16
_SAMPLING_SECONDS = 3.0
"""After this long, no more pages are sampled: a city map takes seconds a page, and the rest is known by then."""

_INFO_LENGTH = 4000
"""Characters of one info field."""

# Names as MuPDF has them: so a field takes one call instead of two, and the calls are most of what it costs.
_TEXTS = {
    "title": mupdf.pdf_new_name("Title"),
    "author": mupdf.pdf_new_name("Author"),
    "subject": mupdf.pdf_new_name("Subject"),
    "keywords": mupdf.pdf_new_name("Keywords"),
    "creator": mupdf.pdf_new_name("Creator"),
    "producer": mupdf.pdf_new_name("Producer"),
}
_DATES = {"creation_date": mupdf.pdf_new_name("CreationDate"), "modification_date": mupdf.pdf_new_name("ModDate")}


def describe(document: Document, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """GetMetadataResponse as JSON text, all fields present; first it needs some pages.

    `sha256` is the document's digest.
    """
    count = min(SAMPLED_PAGES, document.page_count)
    sample = [1 + index * document.page_count // count for index in range(count)]
    if "readings" not in arguments:
        return {"needs": ranges_of(sample), "seconds": _SAMPLING_SECONDS}, b""
    readings = Readings.take(arguments)
    failed = {failure["page"]: failure for failure in readings.failures}
    annotated = Annotated()
    sizes = _page_sizes(document, failed, annotated)
    xmp = read_xmp(document)
    characters = sum(count_letters(reading.text) for reading in readings.values())
    version = mupdf.pdf_version(document.pdf)  # 0 if it cannot be read
    described = {
        "pages": document.page_count,
        "sha256": arguments["sha256"],
        "size": document.size,
        "version": f"{version // 10}.{version % 10}" if version else "",
        "info": _info(document, xmp),
        "encrypted": document.encrypted,
        "page_sizes": sizes,
        "text_density": round(characters / len(readings), 2) if readings else 0.0,
        "has_text_layer": characters > 0,
        "sampled_pages": len(readings),
        "failures": [failed[page] for page in sorted(failed)],
        "hidden_characters": sum(reading.hidden_characters for reading in readings.values()),
        "scanned_pages": [page for page, reading in readings.items() if reading.is_scan],
    }
    return {}, orjson.dumps(described | read_extras(document, annotated, xmp))


def _info(document: Document, xmp: Mapping[str, str]) -> dict[str, str]:
    """What the information dictionary says, and where it says nothing, what XMP does."""
    info = mupdf.pdf_dict_gets(mupdf.pdf_trailer(document.pdf), "Info")
    found = {name: _shown(read_text_string(info, key)) for name, key in (_TEXTS | _DATES).items()}
    found = {name: value or _shown(xmp.get(name, "")) for name, value in found.items()}
    found |= {name: to_rfc3339(found[name]) for name in _DATES}
    return {name: value for name, value in found.items() if value}


def _shown(value: str) -> str:
    return fit(value)[:_INFO_LENGTH].strip()


def _page_sizes(document: Document, failed: dict[int, PageFailure], annotated: Annotated) -> list[dict[str, Any]]:
    """Page sizes as a reader sees them, equal neighbours merged; pages without a size go to `failed`.

    On the way, `annotated` looks at each page: finding it again would cost as much as its size.
    """
    runs: list[dict[str, Any]] = []
    box, matrix = mupdf.FzRect(), mupdf.FzMatrix()
    before: tuple[float, float, int] | None = None
    for page in range(1, document.page_count + 1):
        try:
            leaf = find_page(document, page)
            mupdf.pdf_page_obj_transform(leaf, box, matrix)
            seen = mupdf.fz_transform_rect(box, matrix)
            rotation = mupdf.pdf_to_int(mupdf.pdf_dict_gets_inheritable(leaf, "Rotate"))
            annotated.look_at(page, leaf)
        except mupdf.FzErrorBase as error:
            raise_if_out_of_memory(error)
            failed[page] = failures.broken(page)
            before = None
            continue
        # MuPDF rounds a rotation that is no right angle in the same way.
        size = (round(seen.x1 - seen.x0, 2), round(seen.y1 - seen.y0, 2), (rotation + 45) // 90 * 90 % 360)
        if size == before:
            runs[-1]["last_page"] = page
        else:
            runs.append(
                {"first_page": page, "last_page": page, "width": size[0], "height": size[1], "rotation": size[2]}
            )
        before = size
    return runs
