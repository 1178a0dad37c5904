"""Readings written by hand: pages for what is made of readings, without a PDF."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.pdf.worker.words import Line, Reading, Style, in_units

_SENTENCE = "every employee may take annual leave in the year for which it is granted and no later"
WIDTH, HEIGHT = 595.0, 842.0
BODY = 10.0


@dataclass(frozen=True, slots=True)
class Written:
    """A line, where its text begins and what it looks like."""

    text: str
    x: float = 72.0
    y: float = 100.0
    size: float = BODY
    bold: bool = False
    font: str = "Serif"
    direction: tuple[float, float] = (1.0, 0.0)
    hidden: str = ""
    width: float | None = None
    """Of the line; by default half the size for each letter, the whole size for one of Hangul."""


def page(*lines: Written, width: float = WIDTH, height: float = HEIGHT) -> Reading:
    """A page of such lines, in this order."""
    styles: list[Style] = []
    made = []
    for line in lines:
        style = Style(f"{line.font}-Bold" if line.bold else line.font, line.size, 16 * line.bold, 0)
        if style not in styles:
            styles.append(style)
        words = line.text.split()
        boxes = [place for box in _boxes(line) for place in in_units(box)]
        number = styles.index(style)
        made.append(Line(line.text, 0, line.direction, boxes, [number] * len(words), hidden=line.hidden))
    return Reading(width, height, 0, styles, made)


def paragraph(
    texts: Iterable[str], x: float = 72.0, y: float = 100.0, size: float = BODY, **look: object
) -> list[Written]:
    """Lines below each other, half their size apart."""
    return [Written(text, x, y + 1.3 * size * at, size, **look) for at, text in enumerate(texts)]  # type: ignore[arg-type]


def prose(lines: int, x: float = 72.0, y: float = 100.0, letters: int = 84, seed: int = 0) -> list[Written]:
    """Justified text; its last line is short."""
    words = _SENTENCE.split()
    found = []
    at = seed
    for number in range(lines):
        text = ""
        while len(text) < letters - 8:
            text = f"{text} {words[at % len(words)]}".strip()
            at += 1
        last = number == lines - 1
        text = f"{text[: letters // 2].rsplit(maxsplit=1)[0]}." if last else text
        found.append(Written(text, x, y + 13 * number, width=None if last else 5.0 * letters))
    return found


def _boxes(line: Written) -> list[tuple[float, float, float, float]]:
    advances = [line.size if "가" <= letter <= "힣" else line.size / 2 for letter in line.text]
    scale = 1.0 if line.width is None else line.width / sum(advances)
    boxes, at, start = [], 0.0, None
    for letter, advance in zip(f"{line.text} ", [*advances, 0.0], strict=True):
        if letter == " ":
            if start is not None:
                boxes.append(_placed(line, start, at))
            start = None
        elif start is None:
            start = at
        at += advance * scale
    return boxes


def _placed(line: Written, start: float, end: float) -> tuple[float, float, float, float]:
    across, down = line.direction
    if across > 0:
        return line.x + start, line.y, line.x + end, line.y + line.size
    if down > 0:
        return line.x - line.size, line.y + start, line.x, line.y + end
    if down < 0:
        return line.x, line.y - end, line.x + line.size, line.y - start
    return line.x - end, line.y - line.size, line.x - start, line.y
