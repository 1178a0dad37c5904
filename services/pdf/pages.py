"""The `pages` expression of a request, "1-3,7", as ranges: never a number per page, however wide a range is."""

import re
from collections.abc import Iterator, Sequence
from typing import TypedDict

from services.base.errors import bad_field

PageRange = tuple[int, int]
"""First and last page, from 1, both included."""


class Paging(TypedDict):
    """What a worker is told about the pages to read."""

    ranges: Sequence[PageRange]
    """As from `parse_pages`; none for the whole document."""

    in_call: int
    """The most pages; more are TOO_LARGE."""

    spread: int
    """Above this many pages, it reads none and says which there are, so that the service cuts them into parts."""

    apart: bool
    """Whether each page's lists are a piece of their own."""

    result_bytes: int
    """The most JSON text; more is TOO_LARGE."""


MAX_LENGTH = 1000
"""The most characters in an expression."""

_PART = re.compile(r"([1-9][0-9]{0,6})(?:-([1-9][0-9]{0,6}))?", re.ASCII)


def parse_pages(expression: str) -> list[PageRange]:
    """Reads "1-3,7" into ranges that ascend, do not touch and name each page once; "" (all pages) into an empty list.

    Raises BAD_ARG on the field `pages` for anything else.
    """
    if not expression:
        return []
    if len(expression) > MAX_LENGTH:
        raise bad_field("pages", f"must have at most {MAX_LENGTH} characters")
    return _merge(sorted(_parse_part(part) for part in expression.split(",")))


def count_pages(ranges: Sequence[PageRange]) -> int:
    """How many pages the ranges have in all."""
    return sum(last - first + 1 for first, last in ranges)


def cut_pages(ranges: Sequence[PageRange], size: int) -> Iterator[list[PageRange]]:
    """Cuts ranges into runs of at most `size` pages, in order and as equal as possible."""
    total = count_pages(ranges)
    parts = -(-total // size)
    queue = list(reversed(ranges))
    for index in range(parts):
        room = total * (index + 1) // parts - total * index // parts
        part: list[PageRange] = []
        while room:
            first, last = queue.pop()
            end = min(last, first + room - 1)
            part.append((first, end))
            room -= end - first + 1
            if end < last:
                queue.append((end + 1, last))
        yield part


def _parse_part(part: str) -> PageRange:
    match = _PART.fullmatch(part)
    if match is None:
        raise bad_field("pages", 'must look like "1-3,7": page numbers from 1, ranges upwards')
    first = int(match[1])
    last = int(match[2] or first)
    if last < first:
        raise bad_field("pages", f"the range {first}-{last} runs backwards; write {last}-{first}")
    return first, last


def _merge(ranges: list[PageRange]) -> list[PageRange]:
    merged = ranges[:1]
    for first, last in ranges[1:]:
        start, end = merged[-1]
        if first <= end + 1:
            merged[-1] = (start, max(end, last))
        else:
            merged.append((first, last))
    return merged
