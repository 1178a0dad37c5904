"""PDF_SEARCH: the places where words stand, or where a regular expression matches."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

import orjson

from services.pdf.pages import choose_pages, expression_of, pages_in, parse_pages, ranges_of
from services.pdf.worker import failures
from services.pdf.worker.documents import Document
from services.pdf.worker.layout.line_ends import LineEnds
from services.pdf.worker.readings import Readings
from services.pdf.worker.search import patterns
from services.pdf.worker.search.flows import flows_of
from services.pdf.worker.search.hits import Match, find
from services.pdf.worker.search.hits import describe as describe_hit
from services.pdf.worker.search.spelling import folded, plain

MOST_PAGES = 300
"""That one answer is about."""

_READING_SECONDS = 12.0
"""After this long, no more pages are read for it."""

_REGEX = "regex"


class _Token(NamedTuple):
    """Where an answer goes on: with the hits that begin on or after a page, but for the first ones on that page."""

    page: int = 1
    skipped: int = 0

    @classmethod
    def read(cls, text: str) -> "_Token":
        return cls(*map(int, text.split("."))) if text else cls()

    def __str__(self) -> str:
        return f"{self.page}.{self.skipped}"


class _Window(NamedTuple):
    """The pages that an answer is about."""

    pages: list[int]
    following: int
    """The page that is searched after them; 0 if there is none."""


def describe(document: Document, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """SearchResponse as JSON text, all fields present; it first needs the pages.

    A hit may run on to the page after those that it is about, so that one is read too. Raises BAD_ARG for a query that
    nothing can be found by, and for wrong pages.
    """
    token = _Token.read(arguments["page_token"])
    is_regex = arguments["mode"] == _REGEX
    pattern = (patterns.of_expression if is_regex else patterns.of_words)(arguments["query"])
    window = _window(document.page_count, arguments["pages"], token)
    if "readings" not in arguments:
        needed = [*window.pages, window.following] if window.following else window.pages
        return {"needs": ranges_of(needed), "seconds": _READING_SECONDS, "with_scans": False}, b""
    readings = Readings.take(arguments)
    spelled = cache(partial(plain, ends=LineEnds(readings.values())))
    flows = flows_of(readings, include_hidden=arguments["include_hidden"])
    found = find(pattern, (spelled(flow) if is_regex else folded(flow) for flow in flows))
    matches = [match for match in found.matches if match.page <= window.pages[-1]]
    shown, following = _page_of_hits(matches, token, arguments["max_hits"])
    return {}, orjson.dumps(
        {
            "hits": [describe_hit(match, spelled) for match in shown],
            "total": len(matches),
            "total_is_least": not found.is_all,
            "next_page_token": following or (str(_Token(window.following)) if window.following else ""),
            "searched_pages": expression_of(window.pages),
            "pages": document.page_count,
            "failures": _failures(readings, window.pages),
        }
    )


def _window(page_count: int, expression: str, token: _Token) -> _Window:
    pages = pages_in(choose_pages(page_count, parse_pages(expression), page_count))
    first = min(bisect_left(pages, token.page), len(pages) - 1) // MOST_PAGES * MOST_PAGES
    after = first + MOST_PAGES
    return _Window(pages[first:after], pages[after] if after < len(pages) else 0)


def _page_of_hits(matches: Sequence[Match], token: _Token, most: int) -> tuple[Sequence[Match], str]:
    """The matches that a token leads to, and the next token; "" after the last one."""
    pages = [match.page for match in matches]
    first = min(bisect_left(pages, token.page) + token.skipped, bisect_left(pages, token.page + 1))
    after = first + most
    if after >= len(matches):
        return matches[first:], ""
    page = pages[after]
    return matches[first:after], str(_Token(page, after - bisect_left(pages, page)))


def _failures(readings: Readings, pages: Sequence[int]) -> list[failures.PageFailure]:
    """Those of the pages that could not be read, and those that nobody has read yet."""
    failed = {failure["page"]: failure for failure in readings.failures}
    return [failed.get(page) or failures.pending(page) for page in pages if page not in readings]
