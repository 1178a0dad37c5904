"""What stands at the top and bottom of pages and belongs to none of their text: running heads, feet, page numbers."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from services.pdf.worker.tables.sheet import Placed, Sheet, lines_of

_MARGIN = 0.15
"""The share of a page's height at its top and at its bottom in which they stand."""

_ALONE = 0.08
"""The same for a page of which no other has the like."""

_LEVEL = 5.0
"""Points by which the same line may be off on another page."""

_NUMBERS = re.compile(r"\d+|\b[ivxlc]+\b", re.IGNORECASE)


def without_furniture(sheets: Mapping[int, Sheet]) -> dict[int, list[Placed]]:
    """The words of each page's text.

    A line in the margin is furniture where another page has it at the same height, numbers aside; at the very edge it
    always is.
    """
    margins = {page: _margin_lines(sheet) for page, sheet in sheets.items()}
    seen = Counter(key for lines in margins.values() for key in {_key(line) for line in lines})
    found = {}
    for page, sheet in sheets.items():
        edge = _ALONE * sheet.height
        own: set[int] = set()
        for line in margins[page]:
            at = line[0].middle[1]
            if seen[_key(line)] > 1 or not edge < at < sheet.height - edge:
                own.update(map(id, line))
        found[page] = [word for word in sheet.words if id(word) not in own] if own else sheet.words
    return found


def _margin_lines(sheet: Sheet) -> Sequence[Sequence[Placed]]:
    top, bottom = _MARGIN * sheet.height, (1 - _MARGIN) * sheet.height
    return lines_of([word for word in sheet.words if not top < word.middle[1] < bottom])


def _key(line: Iterable[Placed]) -> tuple[str, int]:
    words = list(line)
    text = _NUMBERS.sub("#", " ".join(word.text for word in words))
    return text, round(words[0].middle[1] / _LEVEL)
