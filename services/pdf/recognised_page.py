"""What an ocr worker says of a page, checked before it is kept, and again whenever a kept one is found.

A picture may have taken the worker over, and what it says is kept for whoever asks about the document next. So it is
what `services.pdf.worker.ocr.recognise` describes, field by field, or it counts for nothing. Whether its words are
those of the picture, nobody can tell.
"""

from typing import Any, TypeAlias

import orjson

MAX_BYTES = 2 * 1024 * 1024
"""Of its JSON text. A full page has 60 KB; made to be bad, so much takes 100 MB and a third of a second to parse."""

MAX_WORDS = 20_000
"""On one page; no page of real text has a tenth of it."""

MAX_DPI = 1200

_MAX_PIXELS = 100_000
"""How far a box may be from the corner: a picture has 30,000 pixels a side, and a turned one's boxes may lie beside."""

_Fields: TypeAlias = tuple[tuple[str, type], ...]
"""Of an object, in their order."""

_PAGE: _Fields = (
    ("version", int),
    ("dpi", int),
    ("width", int),
    ("height", int),
    ("languages", list),
    ("lines", list),
)
_LINE: _Fields = (("words", list),)
_WORD: _Fields = (("text", str), ("x0", int), ("y0", int), ("x1", int), ("y1", int), ("confidence", float))


def is_recognised_page(content: bytes) -> bool:
    """Whether this is the JSON text of a recognised page, with these fields and no others, each within its bounds."""
    if len(content) > MAX_BYTES:
        return False
    try:
        page = orjson.loads(content)
    except orjson.JSONDecodeError:
        return False
    if not (_has(page, _PAGE) and all(_has(line, _LINE) for line in page["lines"])):
        return False
    return (
        page["version"] == 1
        and 1 <= page["dpi"] <= MAX_DPI
        and all(0 < page[side] <= _MAX_PIXELS for side in ("width", "height"))
        and all(type(name) is str for name in page["languages"])
        and sum(len(line["words"]) for line in page["lines"]) <= MAX_WORDS
        and all(_is_word(word) for line in page["lines"] for word in line["words"])
    )


def _is_word(word: Any) -> bool:
    if not _has(word, _WORD):
        return False
    text, *box, confidence = word.values()
    return bool(text) and 0 <= confidence <= 1 and min(box) >= -_MAX_PIXELS and max(box) <= _MAX_PIXELS


def _has(value: Any, fields: _Fields) -> bool:
    """Whether it is an object with exactly these fields. A boolean is no number here."""
    return type(value) is dict and tuple(zip(value, map(type, value.values()), strict=True)) == fields
