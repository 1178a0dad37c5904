"""Which paragraphs of a page are footnotes."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from services.pdf.worker.layout.paragraphs import Paragraph
from services.pdf.worker.layout.typography import Typography

SMALL = 0.94
"""Times the body's size: small print is no larger."""

_LOWER_PART = 0.5
"""Of a page: footnotes begin below."""

_FOOTNOTE = re.compile(r"(?:\d{1,3}[).]?|[*†‡§¶※]{1,3}|주\s?\d{0,2}\s?[).:]|[\u00b9\u00b2\u00b3\u2070-\u2079]+)\s*\S")


def footnotes(paragraphs: Sequence[Paragraph], typography: Typography, edges: tuple[float, float]) -> Iterator[int]:
    """The indices of small print with marks at the foot of its column, and of its rest at the foot of the next.

    `edges`: where the page begins and ends, from top to bottom.
    """
    below = edges[0] + _LOWER_PART * (edges[1] - edges[0])
    limit = SMALL * min(typography.body_size, _usual_size(paragraphs))
    begin = 0
    goes_on = False
    while begin < len(paragraphs):
        end = begin
        while end < len(paragraphs) and paragraphs[end].column is paragraphs[begin].column:
            end += 1
        first = end
        while first > begin and _is_small(paragraphs[first - 1], limit, below):
            first -= 1
        marked = [index for index in range(first, end) if _is_marked(paragraphs[index])]
        if marked or (goes_on and first > begin):
            yield from range(first if goes_on else marked[0], end)
        goes_on = bool(marked)
        begin = end


def _usual_size(paragraphs: Sequence[Paragraph]) -> float:
    """Of most letters on the page."""
    letters: Counter[float] = Counter()
    for paragraph in paragraphs:
        for row in paragraph.rows:
            letters[row.look.size] += len(row.text)
    return letters.most_common(1)[0][0] if letters else 0.0


def _is_small(paragraph: Paragraph, limit: float, below: float) -> bool:
    return (
        paragraph.first.solid < 0
        and not paragraph.is_tabular
        and max(row.look.size for row in paragraph.rows) <= limit
        and paragraph.first.y0 > below
    )


def _is_marked(paragraph: Paragraph) -> bool:
    first = paragraph.first.pieces[0]
    if paragraph.number is not None and paragraph.number.kind == "bullet" and paragraph.number.marker != "※":
        return False
    return first.is_raised or _FOOTNOTE.match(paragraph.first.text) is not None
