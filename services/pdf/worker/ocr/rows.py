"""Rows of text: the runs of ink in a picture's profile."""

from services.pdf.worker.ocr.numeric import Mask, np

_LEAST_INK = 2
"""Pixels of ink in a row of pixels; a row with fewer has specks."""

_LEAST_HEIGHT = 5


def rows_of(ink: Mask) -> list[tuple[int, int]]:
    """Where each row of text begins and ends, from the top, in pixels."""
    filled = np.concatenate(([0], (ink.sum(axis=1) > _LEAST_INK).astype(np.int8), [0]))
    edges = np.flatnonzero(np.diff(filled))
    runs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [(top, bottom) for top, bottom in runs if bottom - top >= _LEAST_HEIGHT]


def height_of(rows: list[tuple[int, int]]) -> int:
    """The height of most rows in pixels; 0 without any."""
    heights = sorted(bottom - top for top, bottom in rows)
    return heights[len(heights) // 2] if heights else 0
