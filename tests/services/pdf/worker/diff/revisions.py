"""Revisions of documents as they would be read, made of paragraphs, and what a comparison says of them."""

from collections.abc import Sequence
from typing import Any

from services.pdf.worker.diff.compare import Comparison, compare
from services.pdf.worker.diff.result import described
from services.pdf.worker.words import Line, Reading, Style

_BODY = Style("Body", 10.0, 0, 0)
_BOLD = Style("Body-Bold", 10.0, 16, 0)
_LINES = 40
_LEFT, _TOP, _PITCH, _LETTER = 60.0, 60.0, 13.0, 5.0


def readings(
    paragraphs: Sequence[str], *, measure: int = 70, breaks_words: bool = False, page: int = 1
) -> dict[int, Reading]:
    """Pages on which these paragraphs stand, in lines of so many letters; those that begin with "#" are bold.

    `breaks_words`: whether lines end inside words, as Korean lines may.
    """
    lines: list[tuple[str, bool, bool]] = []
    for paragraph in paragraphs:
        is_bold = paragraph.startswith("#")
        parts = _wrapped(paragraph.lstrip("#"), measure, breaks_words=breaks_words)
        lines += [(part, is_bold, index == 0) for index, part in enumerate(parts)]
    return {
        page + start // _LINES: _page(lines[start : start + _LINES]) for start in range(0, max(len(lines), 1), _LINES)
    }


def changes(left: Sequence[str], right: Sequence[str], **how: Any) -> list[dict[str, Any]]:
    """The changes between two documents of these paragraphs, as the result has them."""
    found: list[dict[str, Any]] = described(compared(left, right, **how))["changes"]
    return found


def compared(left: Sequence[str], right: Sequence[str], **how: Any) -> Comparison:
    """Two documents compared; `how` is that of the right one."""
    return compare(readings(left), readings(right, **how))


def said(change: dict[str, Any]) -> tuple[str, str, str]:
    """The operation and the texts of a change."""
    left, right = ((change[side] or {}).get("text", "") for side in ("left", "right"))
    return change["op"], left, right


def _wrapped(text: str, measure: int, *, breaks_words: bool) -> list[str]:
    if breaks_words:
        return [
            part.strip() for start in range(0, len(text), measure) if (part := text[start : start + measure]).strip()
        ]
    found = [""]
    for word in text.split():
        if found[-1] and len(found[-1]) + len(word) >= measure:
            found.append("")
        found[-1] = f"{found[-1]} {word}".strip()
    return found


def _page(lines: Sequence[tuple[str, bool, bool]]) -> Reading:
    found = []
    top = _TOP
    for block, (text, is_bold, is_first) in enumerate(lines):
        top += _PITCH * (2 if is_first else 1)
        boxes: list[int] = []
        at = _LEFT
        for word in text.split():
            boxes += [round(100 * edge) for edge in (at, top, at + _LETTER * len(word), top + 10)]
            at += _LETTER * (len(word) + 1)
        found.append(Line(text, block, boxes=boxes, styles=[int(is_bold)] * len(text.split())))
    return Reading(600.0, 2000.0, 0, [_BODY, _BOLD], found)
