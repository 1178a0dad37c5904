"""Tables with lines above and below, and below the head, but none between columns."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise

from services.pdf.worker.tables.columns import chunks_of, covered
from services.pdf.worker.tables.fragment import Fragment
from services.pdf.worker.tables.loose import Band, loose_table
from services.pdf.worker.tables.runs import line_of, run_of, words_of
from services.pdf.worker.tables.sheet import Placed, Rule, Sheet, lines_down, lines_of, twice_middle
from services.pdf.worker.tables.unruled import lines_up

MOST_RULES = 1_000
"""Lines on a page that are looked at."""

_SAME = 4.0
"""Points by which the ends of a table's lines may differ."""

_SHORTEST = 40.0
"""Points of a table's lines, at least."""

_ONE_LINE = 3.0
"""Points between two lines that are one."""

_TABULAR = 0.5
"""The share of lines of words that have several pieces, at least."""

_WIDE = 0.45
"""The share of the table's width that a piece has, at most, where most lines are in one piece."""

MOST_LOOKS = 50
"""Lines of a page below which rows are looked for, at most."""

MOST_BELOW = 5_000
"""Words that are looked at below each."""

MOST_WORDS = 200_000
"""Words between lines of a page that are looked at, those that stand between several pairs of lines as often."""

_LONG = 0.3
"""The share of the page's width that a line has, at least, if it alone is drawn."""

_SET_IN = 20.0
"""Points by which its rows begin after it, at most."""

_LEAST_ROWS = 3
"""Rows of a table of which nothing but the ends is drawn, at least."""

_LEAST_ALONE = 4
"""The same if only one line is drawn; of two columns there are more."""


def half_ruled_tables(sheet: Sheet, rules: Sequence[Rule], words: Sequence[Placed]) -> list[Fragment]:
    """Those that `rules`, which run across and are part of no grid, and `words` make."""
    ahead = sorted((word for word in words if word.is_upright), key=twice_middle)
    found: list[Fragment] = []
    alone: list[list[Rule]] = []
    looks, budget = MOST_LOOKS, MOST_WORDS
    for group in _groups(rules[:MOST_RULES]):
        bands: list[Band] = []
        for upper, lower in pairwise(group):
            band = Band(upper.at, lower.at, _between(ahead, group, upper.at, lower.at))
            budget -= len(band.words)
            if budget < 0:
                return found
            if _is_tabular(band.words, upper.end - upper.start):
                bands.append(band)
            else:
                found += _tables(sheet, group, bands, rules)
                bands = []
        if not bands:
            alone.append(group)
            continue
        is_open = looks > 0 and (len(bands) == 1 or all(len(lines_of(band.words)) == 1 for band in bands))
        looks -= is_open
        found += _tables(sheet, group, bands, rules, _below(ahead, group) if is_open else None)
    for group in alone:
        last = group[-1]
        middle = (last.start + last.end) / 2, last.at
        is_long = last.end - last.start >= _LONG * sheet.width
        if looks > 0 and is_long and not any(each.table.box.holds(middle) for each in found):
            looks -= 1
            found += _tables(sheet, group, [], rules, _below(ahead, group))
    return found


def _groups(rules: Sequence[Rule]) -> Iterator[list[Rule]]:
    """Lines of the same ends, from top to bottom."""
    groups: list[list[Rule]] = []
    for rule in sorted(rules, key=lambda rule: (rule.start, rule.end)):
        if rule.end - rule.start < _SHORTEST:
            continue
        near = (group for group in reversed(groups) if rule.start - group[0].start <= _SAME)
        group = next((group for group in near if abs(group[0].end - rule.end) <= _SAME), None)
        if group:
            group.append(rule)
        else:
            groups.append([rule])
    for group in groups:
        group.sort()
        yield [*group[:1], *(rule for before, rule in pairwise(group) if rule.at - before.at > _ONE_LINE)]


def _between(ahead: Sequence[Placed], group: Sequence[Rule], top: float, bottom: float) -> list[Placed]:
    """The words between two heights and within the lines' ends, of those given from top to bottom."""
    start, end = (bisect_left(ahead, 2 * y, key=twice_middle) for y in (top, bottom))
    left, right = group[0].start - _SAME, group[0].end + _SAME
    return [word for word in ahead[start:end] if left <= word.middle[0] <= right]


def _is_tabular(words: Sequence[Placed], width: float) -> bool:
    """Whether the words between two lines may be rows: most lines in pieces, or all short and side by side."""
    lines = [chunks_of(line) for line in lines_of(words)]
    if not lines:
        return False
    if sum(len(line) > 1 for line in lines) >= _TABULAR * len(lines):
        return True
    return len(covered(lines)) > 1 and all(chunk.x1 - chunk.x0 < _WIDE * width for line in lines for chunk in line)


def _below(ahead: Sequence[Placed], group: Sequence[Rule]) -> Band | None:
    """Rows below the last line, if there are any: a table that goes on elsewhere has no line at its end there."""
    last = group[-1]
    words = _between(ahead, group, last.at, float("inf"))[:MOST_BELOW]
    lines = (line_of(chunks_of(line)) for line in lines_down(words))
    run = run_of(lines, last.end - last.start, after=last.at, is_part=True)
    return Band(last.at, run[-1].bottom, words_of(run)) if run else None


def _tables(
    sheet: Sheet, group: Sequence[Rule], bands: Sequence[Band], rules: Sequence[Rule], below: Band | None = None
) -> Iterator[Fragment]:
    """The table that neighbouring bands are, if they are one; `below` has no line at its end."""
    for more in ([below], []) if below else ([],):
        if not (bands or more):
            return
        table = loose_table(
            sheet.page,
            [*bands, *more],
            edges=(group[0].start, group[0].end),
            has_head=len(bands) + len(more) > 1,
            rules=rules,
        )
        if table is None:
            continue
        is_short = len(table.table.rows) < (_LEAST_ROWS if bands else _LEAST_ALONE)
        if not bands and not _fills(table, group[-1]):
            continue
        if len(bands) > 1 or (bands and more) or lines_up(table) or is_short:
            table.is_open = bool(more) or len(bands) == 1
            table.is_weak = is_short and len(bands) + len(more) == 1
            yield table
            return


def _fills(found: Fragment, rule: Rule) -> bool:
    """Whether rows below a single line, of which nothing else is drawn, begin where it does and are as wide."""
    return (
        found.columns[0].x0 - rule.start <= _SET_IN
        and found.columns[-1].x1 >= rule.end - _SET_IN - (found.grid.xs[-1] - found.grid.xs[-2]) / 2
    )
