"""Finds headings by their look, for files without an outline: larger or bolder than the body text."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from services.pdf.worker import failures
from services.pdf.worker.documents import Document, attempt
from services.pdf.worker.failures import PageFailure
from services.pdf.worker.mupdf import pymupdf
from services.pdf.worker.outline_items import Entry
from services.pdf.worker.page_text import read_blocks
from services.pdf.worker.strings import fold

MAX_PAGES = 500
"""Pages to look at: about three seconds of work."""

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


def find_headings(document: Document) -> tuple[list[Entry], list[PageFailure]]:
    """The headings in the order of the document, on at most 6 levels, and the pages that could not be examined."""
    weights: Counter[_Style] = Counter()
    candidates: list[_Candidate] = []
    failed: list[PageFailure] = []
    for page in range(1, min(document.page_count, MAX_PAGES) + 1):
        content = attempt(read_blocks, document, page, otherwise=None)
        if content is None:
            failed.append(failures.broken(page))
            continue
        top, bottom = _MARGIN * content["height"], (1 - _MARGIN) * content["height"]
        for block in content["blocks"]:
            marginal = block["bbox"][3] < top or block["bbox"][1] > bottom
            candidates += _candidates(block, page, weights, marginal=marginal)
    if document.page_count > MAX_PAGES:
        message = f"Headings are sought on the first {MAX_PAGES} pages; this page and those after it were not read."
        failed.append(failures.too_large(MAX_PAGES + 1, message))
    return _level(_without_running(_stand_out(candidates, weights))), failed


def _candidates(block: dict[str, Any], page: int, weights: Counter[_Style], *, marginal: bool) -> Iterator[_Candidate]:
    """Possible headings in a block, judging only by shape; counts each style's characters in `weights`."""
    runs: list[tuple[_Style | None, list[str]]] = []
    for line in block["lines"]:
        style, text = _read_line(line, weights)
        if not text:
            continue
        if runs and runs[-1][0] == style:
            runs[-1][1].append(text)
        else:
            runs.append((style, [text]))
    for style, lines in runs:
        if style is None or len(lines) > _MAX_LINES:
            continue
        title = " ".join(lines)
        if len(title) <= _MAX_CHARACTERS and len(_LETTERS.findall(title)) > 1 and not any(map(_LEADER.search, lines)):
            yield _Candidate(style, title, page, marginal)


def _read_line(line: dict[str, Any], weights: Counter[_Style]) -> tuple[_Style | None, str]:
    """The line's text and its style; None if it has several styles."""
    styles: set[_Style] = set()
    for span in line["spans"]:
        text = span["text"]
        if not text.isspace():
            style = _Style(round(span["size"] * 2) / 2, bool(span["flags"] & pymupdf.TEXT_FONT_BOLD))
            styles.add(style)
            weights[style] += len(text)
    return (styles.pop() if len(styles) == 1 else None), fold(line["text"])


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
