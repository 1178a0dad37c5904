"""Views of a document made without a service: what workers do for it, in this process."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from services.pdf.pages import PageRange, choose_pages, pages_in
from services.pdf.processes.wire import CONTENT
from services.pdf.worker import metadata, outline, text
from services.pdf.worker.documents import Document
from services.pdf.worker.look import Look, count_letters
from services.pdf.worker.read import read_pages
from services.pdf.worker.reading import read_layer, read_page_words
from services.pdf.worker.readings import Readings


def read(
    document: Document,
    ranges: Sequence[PageRange] = (),
    *,
    ocr: str = "never",
    recognised: Mapping[int, Any] | None = None,
    most: int = 1000,
) -> tuple[list[Any], bytes]:
    """What a worker says of the pages, and their readings; `recognised` is what was read on their pictures."""
    asked: dict[str, Any] = {"ranges": ranges, "most": most, "spread": most, "ocr": ocr, "bytes": 1 << 30}
    if recognised is not None:
        asked |= {"recognised": True, CONTENT: orjson.dumps({str(page): each for page, each in recognised.items()})}
    header, content = read_pages(document, asked)
    return header["found"], content


def given(document: Document, ranges: Sequence[PageRange] = (), *, with_scans: bool = False, **how: Any) -> Any:
    """The arguments by which a view gets the readings of pages, none of which may be in want of recognition."""
    found, content = read(document, ranges, **how)
    pages = pages_in(choose_pages(document.page_count, ranges, 1000))
    wanted = [(page, each) for page, each in zip(pages, found, strict=True) if isinstance(each, str)]
    assert not wanted
    readings = {
        "pages": document.page_count,
        "asked": pages,
        "found": [[page, each[0]] for page, each in zip(pages, found, strict=True) if isinstance(each, list)],
        "failures": [each for each in found if isinstance(each, dict)],
        "with_scans": with_scans,
    }
    return {"readings": readings, CONTENT: content}


def text_of(document: Document, ranges: Sequence[PageRange] = (), *, include_hidden: bool = False, **how: Any) -> Any:
    """PDF_TEXT."""
    readings = Readings.take(given(document, ranges, **how))
    return orjson.loads(text.describe(readings, {"include_hidden": include_hidden}))


def outline_of(document: Document) -> Any:
    """PDF_OUTLINE."""
    return orjson.loads(_whole(outline.describe, document, {}))


def metadata_of(document: Document) -> bytes:
    """PDF_METADATA, as JSON text."""
    return _whole(metadata.describe, document, {"sha256": "ab" * 32})


def read_text(document: Document, page: int) -> str:
    """The text of a page that a reader sees."""
    return read_page_words(document, page).text


def hidden_in(document: Document, page: int = 1) -> list[tuple[str, str]]:
    """What nobody sees of a page, and why."""
    return [(line.text, line.hidden) for line in read_page_words(document, page).lines if line.hidden]


def count(document: Document, page: int = 1) -> tuple[int, int]:
    """How many characters of a page can be seen, and how many are hidden."""
    reading = read_page_words(document, page)
    return count_letters(reading.text), reading.hidden_characters


def read_mapped(document: Document, page: int) -> tuple[Look, str]:
    """A page, and its text before it is made fit to be shown."""
    look = Look(document, page)
    return look, read_layer(look).mapped


def _whole(describe: Any, document: Document, arguments: dict[str, Any]) -> bytes:
    header, result = describe(document, arguments)
    if "needs" in header:
        asked = given(document, header["needs"], with_scans=True)
        header, result = describe(document, arguments | asked)
    assert header == {}
    return bytes(result)
