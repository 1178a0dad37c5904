"""The reading of a page whose picture was recognised: what was read there, and what the text layer has besides."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any

from services.pdf.worker.boxes import Box, boxes_in
from services.pdf.worker.look import Look, count_letters
from services.pdf.worker.placed import placed_letters
from services.pdf.worker.recognised import Word, arrange, certain_in, confidence_of, take
from services.pdf.worker.scans import Want
from services.pdf.worker.words import Line, Reading, in_units

_NOWHERE = Box(0.0, 0.0, 0.0, 0.0)


def merge(layer: Reading, look: Look, want: Want, recognised: Mapping[str, Any] | None) -> Reading:
    """The page's reading.

    It keeps the text of its layer if nothing could be read. Else the layer counts only beside pictures: where its
    letters mean nothing, or the caller wants it read again, what was read stands for it.

    Args:
        layer: The page's own text.
        look: The same page.
        want: Why its picture was read.
        recognised: What was read, as an ocr worker says it; None if it could make nothing of the picture.
    """
    if recognised is None:
        return replace(layer, want=want.reason)
    letters = (placed_letters(look) if want.reason == "picture" else None) or ()
    found = take(recognised, want.areas, letters)
    shown = [line for line in layer.lines if not line.hidden]
    hidden = layer.lines[len(shown) :]
    text, lines, confidence = layer.text, shown, layer.confidence
    if found.lines:
        read = _lines(found.lines, block=max((line.block for line in shown), default=-1) + 1)
        if letters:
            certain = layer.confidence * count_letters(text) + certain_in(found.lines)
            boxes = [reduce(Box.around, (word.box for word in line)) for line in found.lines]
            order = arrange(boxes, list(map(_box, shown)), want.areas)
            lines = [(shown if is_own else read)[index] for is_own, index in order]
            confidence = min(certain / sum(count_letters(line.text) for line in lines), 1.0)
        else:
            lines, confidence = read, confidence_of(found.lines)
    elif not text.strip():
        confidence = confidence_of(found.illegible)
    return replace(layer, lines=lines + hidden, confidence=confidence, ocr=bool(found.lines), ocr_reason=want.reason)


def _lines(found: Sequence[Sequence[Word]], block: int) -> list[Line]:
    return [
        Line(
            " ".join(word.text for word in words),
            block,
            boxes=[place for word in words for place in in_units(word.box)],
            source="ocr",
            confidences=[round(word.confidence, 3) for word in words],
        )
        for words in found
    ]


def _box(line: Line) -> Box:
    """Where a line stands; in the corner if that is not known."""
    return reduce(Box.around, boxes_in(line.boxes)) if line.boxes else _NOWHERE
