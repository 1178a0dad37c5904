"""Columns: the parts of a page that are read one after the other, found by the gutters between them.

A gutter is a band without ink (T. M. Breuel, "Two geometric algorithms for layout analysis", 2002) with lines of text
on both sides that fill their width. In a table they do not, so it stays whole and is read by its rows.
"""

from typing import NamedTuple

from services.pdf.worker.ocr.ink import squares_of
from services.pdf.worker.ocr.numeric import Counts, Mask, np

_CELLS_AN_INCH = 25
"""The page is looked at in squares of about a millimetre."""

_GUTTER_WIDTH = 3
_RAGGED = 2
_LEAST_HEIGHT = 25
_LEAST_SHARE = 0.3
"""Of the height of what is cut."""

_COLUMN_SHARE = 0.2
"""Of the width of what is cut. A narrower one holds numbers of items or of pages."""

_FILLED = 0.7
"""How much of a column its lines fill on the average."""

_MOST_CUTS = 8


class Part(NamedTuple):
    """A part of a picture, in pixels or in squares."""

    left: int
    top: int
    right: int
    bottom: int


def parts_of(ink: Mask, dpi: int) -> list[Part]:
    """The parts of the page in reading order, with some paper around each; none without ink."""
    cell = max(4, round(dpi / _CELLS_AN_INCH))
    grid = squares_of(ink, cell)
    (height, width), (rows, columns) = ink.shape, grid.shape
    return [
        Part(
            max(0, (part.left - 1) * cell),
            max(0, (part.top - 1) * cell),
            min(width, (part.right + 1) * cell),
            min(height, (part.bottom + 1) * cell),
        )
        for part in _cut(grid, Part(0, 0, columns, rows), _MOST_CUTS)
    ]


def _cut(grid: Mask, whole: Part, cuts: int) -> list[Part]:
    part = _trimmed(grid, whole)
    if part is None:
        return []
    gutter = _gutter(grid[part.top : part.bottom, part.left : part.right]) if cuts else None
    if gutter is None:
        return [part]
    left, top, right, bottom = gutter.left, gutter.top, gutter.right, gutter.bottom
    pieces = (
        Part(part.left, part.top, part.right, part.top + top),
        Part(part.left, part.top + top, part.left + left, part.top + bottom),
        Part(part.left + right, part.top + top, part.right, part.top + bottom),
        Part(part.left, part.top + bottom, part.right, part.bottom),
    )
    return [found for piece in pieces for found in _cut(grid, piece, cuts // 2)]


def _trimmed(grid: Mask, part: Part) -> Part | None:
    """The part without the paper around its ink."""
    inside = grid[part.top : part.bottom, part.left : part.right]
    down, across = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not len(down):
        return None
    return Part(
        part.left + int(across[0]),
        part.top + int(down[0]),
        part.left + int(across[-1]) + 1,
        part.top + int(down[-1]) + 1,
    )


def _gutter(grid: Mask) -> Part | None:
    """The longest gutter, with all that is free beside it; None if there is none between columns."""
    height, width = grid.shape
    if width < 4 * _GUTTER_WIDTH:
        return None
    filled = np.lib.stride_tricks.sliding_window_view(grid, _GUTTER_WIDTH, axis=1).any(axis=2)
    length, ends = _longest_runs(np.logical_not(filled))
    margin = round(_COLUMN_SHARE * width)
    length[:margin] = length[max(0, width - margin - _GUTTER_WIDTH) :] = 0
    left = int(length.argmax())
    longest = int(length[left])
    if longest < max(_LEAST_HEIGHT, _LEAST_SHARE * height):
        return None
    right = left + 1
    while right < len(length) and length[right] >= longest - _RAGGED and abs(ends[right] - ends[left]) <= _RAGGED:
        right += 1
    bottom = int(ends[left:right].min())
    top = int((ends[left:right] - length[left:right]).max())
    found = Part(left, top, right - 1 + _GUTTER_WIDTH, bottom)
    sides = (grid[top:bottom, :left], grid[top:bottom, found.right :])
    return found if all(_is_prose(side, margin) for side in sides) else None


def _longest_runs(free: Mask) -> tuple[Counts, Counts]:
    """For each column of squares how long its longest free run is, and where that ends."""
    now, longest, ends = (np.zeros(free.shape[1], np.int16) for _ in range(3))
    for row in range(free.shape[0]):
        now = np.where(free[row], now + 1, 0)
        longer = now > longest
        longest[longer] = now[longer]
        ends[longer] = row + 1
    return longest, ends


def _is_prose(column: Mask, least: int) -> bool:
    """Whether lines of text fill this column, and it is at least so wide."""
    inked = column.any(axis=1)
    if inked.sum() < _LEAST_HEIGHT // 2:
        return False
    starts = np.flatnonzero(np.diff(inked.astype(np.int8), prepend=0) == 1)
    lines = np.logical_or.reduceat(column, starts, axis=0)
    first, last = lines.argmax(axis=1), lines.shape[1] - lines[:, ::-1].argmax(axis=1)
    extent = int(last.max() - first.min())
    return extent >= least and float((last - first).mean()) >= _FILLED * extent
