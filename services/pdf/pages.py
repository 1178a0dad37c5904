"""The `pages` expression of a request, "1-3,7", as ranges: never a number per page, however wide a range is."""

import re
from collections.abc import Iterable, Iterator, Sequence

from services.base.errors import bad_field, too_large

PageRange = tuple[int, int]
"""First and last page, from 1, both included."""


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


def choose_pages(pages: int, ranges: Sequence[PageRange], most: int) -> list[PageRange]:
    """The pages to read of a document of `pages`: `ranges`, or the whole document if there are none.

    Raises BAD_ARG on the field `pages` for a page that the document lacks, and TOO_LARGE for more than `most`.
    """
    chosen = list(ranges) or [(1, pages)]
    last = chosen[-1][1]
    if last > pages:
        raise bad_field("pages", f"page {last} is not in the document, which has {pages} pages")
    count = count_pages(chosen)
    if count > most:
        message = f"{count} pages are over the limit of {most} for one call; ask for fewer pages at a time."
        raise too_large(message, limit_pages=most, pages=pages)
    return chosen


def pages_in(ranges: Iterable[PageRange]) -> list[int]:
    """Each page of the ranges."""
    return [page for first, last in ranges for page in range(first, last + 1)]


def ranges_of(pages: Iterable[int]) -> list[PageRange]:
    """The ranges that hold these pages, which ascend."""
    return _merge([(page, page) for page in pages])


def expression_of(pages: Iterable[int]) -> str:
    """These pages, which ascend, as `parse_pages` takes them."""
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges_of(pages))


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
