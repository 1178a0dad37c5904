"""The changes between two tables: by row and column, never by the flow of words."""

from collections import Counter
from collections.abc import Iterator, Sequence

from services.pdf.worker.diff.alignment import Match, align, gaps
from services.pdf.worker.diff.atoms import Atom, Text
from services.pdf.worker.diff.changes import Change, marks_of, op_of, side_of, whole_side
from services.pdf.worker.diff.document import Document, Part, Rows
from services.pdf.worker.diff.flow import Flow
from services.pdf.worker.diff.proof import are_equal, unequal
from services.pdf.worker.diff.units import glue, squeezed
from services.pdf.worker.diff.wording import Gap, compare_words
from services.pdf.worker.layout.line_ends import LineEnds

_ALIKE = 0.3
"""From 0 to 1: tables, rows and columns that are less alike are not versions of each other."""

_SAME_LINE = 4.0
"""Points within which words stand on one line."""

_MOST_PAIRED = 10_000
"""Pairs of one gap that are looked at, at most; more are paired by their order."""


def pair_tables(left: Document, right: Document) -> list[Match]:
    """The tables that belong together. What is left of them is read as running text, on both sides alike."""
    mine = [index for index, part in enumerate(left.parts) if part.cells is not None]
    theirs = [index for index, part in enumerate(right.parts) if part.cells is not None]
    words = [_words(left.parts[index].atoms) for index in mine]
    others = [_words(right.parts[index].atoms) for index in theirs]
    return [Match(mine[pair.left], theirs[pair.right]) for pair in _pairs(words, others)]


def table_changes(left: Part, right: Part, ends: LineEnds) -> Iterator[Change]:
    """The changes of a table, in its order; `place`, `address` and the table's number are the caller's to give."""
    rows, others = left.cells or [], right.cells or []
    columns = _columns(rows, others)
    matches = _pairs([_words(_all(row)) for row in rows], [_words(_all(row)) for row in others])
    for pair in matches:
        yield from _row_changes(rows[pair.left], others[pair.right], pair, columns, ends)
    for start, stop, begin, end in gaps(matches, len(rows), len(others)):
        for index in range(start, stop):
            if _all(rows[index]):
                yield Change(
                    "delete", "table", whole_side(_all(rows[index]), ends), None, (begin, index), cell=(0, index + 1, 0)
                )
        for index in range(begin, end):
            if _all(others[index]):
                yield Change(
                    "insert", "table", None, whole_side(_all(others[index]), ends), (index, 0), cell=(0, index + 1, 0)
                )


def unproved(left: Part, right: Part, changes: Sequence[Change]) -> Change | None:
    """What these changes of a table leave unexplained, from there to its end; None if nothing."""
    texts = [Text.of(*(cell for row in part.cells or [] for cell in row)) for part in (left, right)]
    marked = [
        {index for index, atom in enumerate(text.atoms) if atom.place in marks}
        for text, marks in zip(texts, marks_of(changes), strict=True)
    ]
    place = unequal(texts[0], texts[1], marked[0], marked[1])
    if place is None:
        return None
    sides = [
        side_of(text, at, len(text.atoms), in_body=False) if at < len(text.atoms) else None
        for text, at in zip(texts, place, strict=True)
    ]
    rest = (len(right.cells or []), 0)
    return Change(op_of(*sides), "table", sides[0], sides[1], rest, cell=(0, 1, 0), confidence=0.5)


def without_dissolved(changes: Sequence[Change], flow: Flow) -> list[Change]:
    """The changes without rows that the other side has too, but as running text, as a row alone on its page is read."""
    loose: dict[tuple[str, str], Change] = {
        (change.op, _as_set([change])): change for change in flow.changes if change.op in {"insert", "delete"}
    }
    kept = []
    rows: list[Change] = []
    for change in [*changes, None]:
        if rows and not (change and _is_row(change) and _table_and_op(change) == _table_and_op(rows[0])):
            other = loose.get(("delete" if rows[0].op == "insert" else "insert", _as_set(rows)))
            if other is not None and other in flow.changes and are_equal(_in_rows(rows), _in_rows([other])):
                flow.explain(other)
            else:
                kept += rows
            rows = []
        if change is not None:
            (rows if _is_row(change) else kept).append(change)
    return kept


def _is_row(change: Change) -> bool:
    return change.cell is not None and not change.cell[2]


def _table_and_op(change: Change) -> tuple[int, str]:
    return change.cell[0] if change.cell else 0, change.op


def _as_set(changes: Sequence[Change]) -> str:
    return squeezed([atom.text for atom in _in_rows(changes)])


def _in_rows(changes: Sequence[Change]) -> list[Atom]:
    """What changes say, as it stands from top to bottom and from left to right, whatever order it was read in."""
    atoms = [atom for change in changes for side in (change.left, change.right) if side for atom in side.atoms]
    return sorted(atoms, key=lambda atom: (atom.page, round(atom.box.y0 / _SAME_LINE), atom.box.x0))


def _row_changes(
    row: Sequence[list[Atom]], other: Sequence[list[Atom]], pair: Match, columns: Sequence[Match], ends: LineEnds
) -> Iterator[Change]:
    known = columns if len(row) != len(other) else [Match(index, index) for index in range(len(row))]
    known = [each for each in known if each.left < len(row) and each.right < len(other)]
    for start, stop, begin, end in gaps(known, len(row), len(other)):
        place = (pair.right, begin)
        if _all(row[start:stop]):
            cell = (0, pair.left + 1, start + 1)
            yield Change("delete", "table", whole_side(_all(row[start:stop]), ends), None, place, cell=cell)
        if _all(other[begin:end]):
            cell = (0, pair.right + 1, begin + 1)
            yield Change("insert", "table", None, whole_side(_all(other[begin:end]), ends), place, cell=cell)
    for each in known:
        mine, theirs = _text(row[each.left], ends), _text(other[each.right], ends)
        for gap in compare_words(mine, theirs, (0, len(mine.atoms)), (0, len(theirs.atoms))).every:
            yield _cell_change(mine, theirs, gap, (pair.right, each.right), (0, pair.right + 1, each.right + 1))


def _cell_change(mine: Text, theirs: Text, gap: Gap, place: tuple[int, int], cell: tuple[int, int, int]) -> Change:
    left = side_of(mine, gap.start, gap.stop, in_body=False) if gap.start < gap.stop else None
    right = side_of(theirs, gap.begin, gap.end, in_body=False) if gap.begin < gap.end else None
    return Change(op_of(left, right), "table", left, right, place, cell=cell)


def _columns(rows: Rows, others: Rows) -> list[Match]:
    """The columns that belong together, by all that stands in them."""
    mine, theirs = (
        [_words(_column(each, at)) for at in range(max(map(len, each), default=0))] for each in (rows, others)
    )
    return _pairs(mine, theirs)


def _column(rows: Rows, at: int) -> list[Atom]:
    return [atom for row in rows if at < len(row) for atom in row[at]]


def _pairs(words: Sequence[Counter[str]], others: Sequence[Counter[str]]) -> list[Match]:
    """What is equal and in order, and between, what is most alike."""
    keys = [[frozenset(each.items()) for each in side] for side in (words, others)]
    matches = align(*keys)
    found = [*matches]
    for start, stop, begin, end in gaps(matches, len(words), len(others)):
        found += _closest(words, others, range(start, stop), range(begin, end))
    return sorted(found)


def _closest(words: Sequence[Counter[str]], others: Sequence[Counter[str]], mine: range, theirs: range) -> list[Match]:
    """The pairs that are most alike as a whole, in order."""
    if len(mine) * len(theirs) > _MOST_PAIRED:
        return [Match(*pair) for pair in zip(mine, theirs, strict=False)]
    best: dict[tuple[int, int], tuple[float, list[Match]]] = {}
    none: tuple[float, list[Match]] = (0.0, [])
    for i in reversed(mine):
        for j in reversed(theirs):
            skipped = max(best.get((i + 1, j), none), best.get((i, j + 1), none), key=lambda each: each[0])
            alike = _likeness(words[i], others[j])
            after = best.get((i + 1, j + 1), none)
            paired = alike + after[0]
            best[i, j] = (paired, [Match(i, j), *after[1]]) if alike >= _ALIKE and paired > skipped[0] else skipped
    return best.get((mine.start, theirs.start), none)[1] if mine and theirs else []


def _likeness(words: Counter[str], others: Counter[str]) -> float:
    total = words.total() + others.total()
    return 2 * (words & others).total() / total if total else 1.0


def _words(atoms: Sequence[Atom]) -> Counter[str]:
    return Counter(squeezed([atom.text]) or atom.text for atom in atoms)


def _all(cells: Sequence[list[Atom]]) -> list[Atom]:
    return [atom for cell in cells for atom in cell]


def _text(atoms: Sequence[Atom], ends: LineEnds) -> Text:
    text = Text.of(atoms)
    glue(text, ends)
    return text
