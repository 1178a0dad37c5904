"""How deep headings and list items stand: by their numbers where they have some, and by their look."""

from collections.abc import Sequence

from services.pdf.worker.layout.blocks import MAX_LEVEL
from services.pdf.worker.layout.kinds import Kinded
from services.pdf.worker.layout.numbering import RANKS, STRUCTURE
from services.pdf.worker.layout.typography import Typography, half_points

_SAME_SIZE = 1.04
"""Sizes that differ by less are one."""

_UNNUMBERED = float(RANKS["article"]) + 0.5
"""Where a heading without a number ranks among those of its size."""

_Rank = tuple[float, float, float, float]


def set_levels(headings: Sequence[Kinded], typography: Typography) -> None:
    """Gives each heading of a document its level, from 1.

    Divisions that a Korean document numbers (편, 장, 절, 관, 조) rank as they nest, whatever they look like; everything
    else by size, then by number (1., 1.1), then bold before plain.
    """
    sizes = _sizes(headings)
    ranks = [_rank(heading, sizes, typography) for heading in headings]
    order = {rank: level for level, rank in enumerate(sorted(set(ranks)), start=1)}
    for heading, rank in zip(headings, ranks, strict=True):
        heading.level = min(order[rank], MAX_LEVEL)


def set_depths(items: Sequence[Kinded]) -> None:
    """Gives each item its depth, from 1: items of another kind, or moved in, stand one deeper than those around."""
    open_kinds: list[tuple[str, float]] = []
    depth = 1
    for item in items:
        if item.type == "heading":
            open_kinds = []
        if item.type != "list" or item.number is None:
            item.depth = depth if item.type == "list" else 0
            continue
        paragraph = item.paragraph
        kind = item.number.marker if item.number.kind == "bullet" else item.number.kind
        place = paragraph.x0 - paragraph.column.x0
        step = max(paragraph.size, 1.0)
        known = next(
            (
                depth
                for depth, (other, at) in enumerate(open_kinds)
                if other == kind and (abs(at - place) < step or item.number.kind != "bullet")
            ),
            None,
        )
        if known is None:
            while open_kinds and open_kinds[-1][1] > place + 0.5 * step:
                open_kinds.pop()
            open_kinds.append((kind, place))
        else:
            del open_kinds[known + 1 :]
        item.depth = depth = len(open_kinds)


def _sizes(headings: Sequence[Kinded]) -> dict[float, float]:
    """For each size the largest one that counts as the same."""
    found: dict[float, float] = {}
    largest = 0.0
    for size in sorted({half_points(heading.paragraph.size) for heading in headings}, reverse=True):
        if not largest or largest > size * _SAME_SIZE:
            largest = size
        found[size] = largest
    return found


def _rank(heading: Kinded, sizes: dict[float, float], typography: Typography) -> _Rank:
    number, look = heading.number, heading.paragraph.first.look
    size = sizes[half_points(heading.paragraph.size)]
    if number is not None and number.kind in STRUCTURE and number.marker.startswith("제"):
        # Among sizes they stand where the larger ones of them mostly do: below a title, above what is like the body.
        return (-typography.body_size * 1.05, float(number.rank), 0.0, 0.0)
    rank = _UNNUMBERED if number is None else float(number.rank)
    depth = float(len(number.value)) if number is not None and number.kind == "decimal" else 1.0
    return (-size, rank, depth, 0.0 if look.bold else 1.0)
