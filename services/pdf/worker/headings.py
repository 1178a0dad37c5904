"""Finds headings by their look, for files without an outline: larger or bolder than the body text."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from services.pdf.worker.mupdf import pymupdf
from services.pdf.worker.outline_items import Entry
from services.pdf.worker.strings import fold
from services.pdf.worker.words import UNITS, Line, Reading

_MAX_LINES = 3
"""Lines of one heading; a longer block is a paragraph in large type."""

_MAX_CHARACTERS = 200
_MAX_LEVELS = 6
_LARGER = 1.1
"""How much larger than the body text a heading is, unless it is bold."""

_RUNNING_PAGES = 3
_MARGIN = 0.1
"""Text that is the same on so many pages, numbers aside, at their upper or lower edge is a running header."""

_LETTERS = re.compile(r"[^\W\d_]")
_NUMBERS = re.compile(r"\d+")
_LEADER = re.compile(r"(?:[.·\u2024-\u2026\u22ef\u30fb_\-\u2013\u2014]\s*){3,}\S{0,6}$")
"""The end of a line of contents: dots, and mostly a page number."""


@dataclass(frozen=True, slots=True)
class _Style:
    size: float
    """Points, to the nearest half."""

    bold: bool


@dataclass(frozen=True, slots=True)
class _Candidate:
    """Neighbouring lines of one style at the start of a block."""

    style: _Style
    title: str
    page: int
    marginal: bool
    """Whether it is where running headers and footers are."""


def find_headings(readings: Mapping[int, Reading]) -> list[Entry]:
    """The headings in the order of the document, on at most 6 levels."""
    weights: Counter[_Style] = Counter()
    candidates: list[_Candidate] = []
    for page, reading in readings.items():
        seen = (line for line in reading.lines if not line.hidden)
        for _, lines in groupby(seen, key=attrgetter("block", "source")):
            candidates += _candidates(reading, list(lines), page, weights)
    return _level(_without_running(_stand_out(candidates, weights)))


def _candidates(reading: Reading, block: Sequence[Line], page: int, weights: Counter[_Style]) -> Iterator[_Candidate]:
    """Possible headings in a block, judging only by shape; counts each style's characters in `weights`."""
    runs: list[tuple[_Style | None, list[str]]] = []
    for line in block:
        style, text = _read_line(reading, line, weights)
        if not text:
            continue
        if runs and runs[-1][0] == style:
            runs[-1][1].append(text)
        else:
            runs.append((style, [text]))
    marginal = _is_marginal(reading, block)
    for style, lines in runs:
        if style is None or len(lines) > _MAX_LINES:
            continue
        title = " ".join(lines)
        if len(title) <= _MAX_CHARACTERS and len(_LETTERS.findall(title)) > 1 and not any(map(_LEADER.search, lines)):
            yield _Candidate(style, title, page, marginal)


def _is_marginal(reading: Reading, block: Sequence[Line]) -> bool:
    """Whether a block is at the upper or lower edge of its page."""
    edges = [edge / UNITS for line in block for edge in line.boxes]
    margin = _MARGIN * reading.height
    return bool(edges) and (max(edges[3::4]) < margin or min(edges[1::4]) > reading.height - margin)


def _read_line(reading: Reading, line: Line, weights: Counter[_Style]) -> tuple[_Style | None, str]:
    """The line's text and its style; None if it has several styles, or none that is known."""
    styles: set[_Style] = set()
    for word in reading.words(line):
        if word.style is not None:
            style = _Style(round(word.style.size * 2) / 2, bool(word.style.flags & pymupdf.TEXT_FONT_BOLD))
            styles.add(style)
            weights[style] += len(word.text)
    return (styles.pop() if len(styles) == 1 else None), fold(line.text)


def _stand_out(candidates: Iterable[_Candidate], weights: Counter[_Style]) -> list[_Candidate]:
    """Those larger or bolder than the body text, which is the style of most characters."""
    if not weights:
        return []
    body = weights.most_common(1)[0][0]

    def stands_out(style: _Style) -> bool:
        return style.size >= body.size * _LARGER or (style.bold and not body.bold and style.size >= body.size)

    return [candidate for candidate in candidates if stands_out(candidate.style)]


def _without_running(candidates: list[_Candidate]) -> list[_Candidate]:
    """Drops running headers and footers."""
    pages: defaultdict[str, set[int]] = defaultdict(set)
    for candidate in candidates:
        if candidate.marginal:
            pages[_NUMBERS.sub("", candidate.title)].add(candidate.page)

    def runs(candidate: _Candidate) -> bool:
        return candidate.marginal and len(pages[_NUMBERS.sub("", candidate.title)]) >= _RUNNING_PAGES

    return [candidate for candidate in candidates if not runs(candidate)]


def _level(candidates: list[_Candidate]) -> list[Entry]:
    """Larger ranks higher; at equal size, bold does."""
    styles = sorted({candidate.style for candidate in candidates}, key=lambda style: (-style.size, not style.bold))
    levels = {style: min(index, _MAX_LEVELS) for index, style in enumerate(styles, start=1)}
    return [{"level": levels[each.style], "title": each.title, "page": each.page} for each in candidates]
