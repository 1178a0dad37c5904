"""A reading of a page: its words, where they stand and what they look like; and its compact JSON."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import isnan
from typing import Any, Literal, NamedTuple

import orjson

VERSION = 3
"""Of the JSON; a reading of another version is made again."""

UNITS = 100
"""What a place is counted in: hundredths of a point."""

_FARTHEST = 1_000_000_000
"""Places beyond are cut down to it: a document may claim any."""

Box = tuple[float, float, float, float]
"""Left, top, right and bottom in points, from the top left of the page as a reader sees it."""

Source = Literal["layer", "ocr"]
"""Where words are from: the page's own text, or a picture of them that was recognised."""


class Style(NamedTuple):
    """What letters look like."""

    font: str
    """The font's name as the file has it, without the mark of a subset; "" where there is none."""

    size: float
    """Points, to the hundredth."""

    flags: int
    """PyMuPDF's: 1 raised, 2 italic, 4 serifs, 8 one width, 16 bold."""

    color: int
    """sRGB, 0xRRGGBB."""


class Word(NamedTuple):
    """What stands between two blanks."""

    text: str
    box: Box | None
    """None where the places of words were not looked at."""

    style: Style | None
    """That of its first letter; None where none is known."""

    confidence: float
    """From 0 to 1: of a recognised word how sure recognition is, else the share of letters that the file says."""


@dataclass(slots=True)
class Line:
    """Words on one baseline, in the order in which they are read."""

    text: str
    """With the blanks that stand between its words; it ends without a line feed."""

    block: int
    """The number of its block on the page, from 0."""

    direction: tuple[float, float] = (1.0, 0.0)
    """Where it runs, as a vector of length 1: (1, 0) to the right, (0, 1) down."""

    boxes: list[int] = field(default_factory=list)
    """Four hundredths of points for each word of `text`, or none at all; see `Box` and `in_units`."""

    styles: list[int] = field(default_factory=list)
    """For each word the index of its style on the page, or none at all."""

    source: Source = "layer"
    hidden: str = ""
    """Why a reader cannot see it; "" if one can."""

    confidences: list[float] = field(default_factory=list)
    """For each word, or none at all where the words themselves tell it."""


@dataclass(slots=True)
class Reading:
    """What was read on one page."""

    width: float
    """Of the page as a reader sees it, in points; `height` likewise."""

    height: float
    rotation: int
    """By how many degrees clockwise a reader sees the page turned: 0, 90, 180 or 270. Boxes are of the turned page."""

    styles: list[Style]
    lines: list[Line]
    """In the order in which they are read. Those that a reader cannot see come last."""

    confidence: float = 1.0
    """The share of the text's characters that are right as far as is known, from 0 to 1, white space aside."""

    hidden_characters: int = 0
    """How many a reader cannot see, white space aside; there may be more than `lines` have."""

    want: str = ""
    """Why its picture should be read, if it was not: "no_text", "picture" or "unmapped"; see `scans.Want`."""

    is_scan: bool = False
    """Whether it is a picture of text, as far as can be told without reading it."""

    ocr: bool = False
    """Whether any of its text was recognised."""

    ocr_reason: str = ""
    """Why its picture was read, as `want` or "forced"; "" if it was not."""

    rules: list[int] = field(default_factory=list)
    """Thin straight lines, as four hundredths of a point each, like a line's `boxes`; see `shapes.Shapes`."""

    fills: list[int] = field(default_factory=list)
    """Filled boxes, likewise."""

    pictures: list[int] = field(default_factory=list)
    """Pictures, likewise."""

    is_crowded: bool = False
    """Whether the page has more of these than are kept."""

    @property
    def text(self) -> str:
        """The lines that a reader sees, each ended by a line feed."""
        return "".join([f"{line.text}\n" for line in self.lines if not line.hidden])

    def words(self, line: Line) -> Iterator[Word]:
        """The words of one of its lines."""
        boxes, styles, confidences = line.boxes, line.styles, line.confidences
        for index, text in enumerate(line.text.split()):
            left, top, right, bottom = boxes[4 * index : 4 * index + 4] or (0, 0, 0, 0)
            yield Word(
                text,
                (left / UNITS, top / UNITS, right / UNITS, bottom / UNITS) if boxes else None,
                self.styles[styles[index]] if styles else None,
                confidences[index] if confidences else 1 - text.count("\ufffd") / len(text),
            )


_SHAPES = ("rules", "fills", "pictures")
_MORE = ("confidence", "hidden_characters", "want", "is_scan", "ocr", "ocr_reason", *_SHAPES, "is_crowded")
"""What a reading says of the page as a whole, besides its size."""


def in_units(places: Sequence[float]) -> list[int]:
    """Points as whole hundredths, those that no page can have cut down."""
    try:
        found = [round(place * UNITS) for place in places]
    except (OverflowError, ValueError):  # infinite, or no number
        return in_units([0.0 if isnan(place) else min(max(place, -_FARTHEST), _FARTHEST) for place in places])
    if found and (max(found) > _FARTHEST or min(found) < -_FARTHEST):
        return [min(max(place, -_FARTHEST), _FARTHEST) for place in found]
    return found


def to_bytes(reading: Reading) -> bytes:
    """The reading as JSON, with arrays for objects, each font once, and nothing for what most lines have alike."""
    fonts: dict[str, int] = {}
    styles = [(fonts.setdefault(font, len(fonts)), size, flags, color) for font, size, flags, color in reading.styles]
    lines = [_packed(line) for line in reading.lines]
    page = (VERSION, reading.width, reading.height, reading.rotation, list(fonts), styles, lines)
    return orjson.dumps((*page, *map(reading.__getattribute__, _MORE)))


def from_bytes(content: bytes) -> Reading:
    """The reading that `to_bytes` made this of. Raises ValueError for anything else."""
    try:
        version, width, height, rotation, fonts, styles, lines, *more = orjson.loads(content)
        if version != VERSION:
            message = f"The reading is of version {version}, not {VERSION}."
            raise ValueError(message)
        return Reading(
            width,
            height,
            rotation,
            [Style(fonts[font], size, flags, color) for font, size, flags, color in styles],
            [_unpacked(*line) for line in lines],
            **_checked(dict(zip(_MORE, more, strict=True))),
        )
    except (AttributeError, IndexError, TypeError) as error:
        message = "These bytes are no reading of a page."
        raise ValueError(message) from error


def _packed(line: Line) -> tuple[Any, ...]:
    styles: int | list[int] = line.styles
    if line.styles and line.styles.count(line.styles[0]) == len(line.styles):
        styles = line.styles[0]
    packed = (line.text, line.block, styles, line.boxes)
    if line.direction != (1.0, 0.0) or line.source != "layer" or line.hidden or line.confidences:
        return *packed, line.direction, line.source, line.hidden, line.confidences
    return packed


def _checked(more: dict[str, Any]) -> dict[str, Any]:
    if any(len(more[name]) % 4 for name in _SHAPES):
        message = "A box of the reading lacks an edge."
        raise ValueError(message)
    return more


def _unpacked(text: str, block: int, styles: int | list[int], boxes: list[int], *others: Any) -> Line:
    (across, down), source, hidden, confidences = others or ((1.0, 0.0), "layer", "", [])
    count = len(text.split())
    of_each = [styles] * count if isinstance(styles, int) else styles
    if any(len(numbers) not in {0, n * count} for numbers, n in ((boxes, 4), (of_each, 1), (confidences, 1))):
        message = "A line of the reading has not as many places as words."
        raise ValueError(message)
    return Line(text, block, (across, down), boxes, of_each, source, hidden, confidences)
