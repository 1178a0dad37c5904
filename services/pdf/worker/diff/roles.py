"""What is set apart in a document that is compared: notes, contents, and what only stands where running lines do."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby

from services.pdf.worker.diff.atoms import Atom
from services.pdf.worker.layout.blocks import Block

_LEADERS = re.compile(r"(?:[.·\u2024-\u2026\u22ef\u30fb_]\s?){4,}\s*\S{0,8}$")
_CONTENTS = re.compile(r"(?:목\s*차|차\s*례|(?:table of )?contents)", re.IGNORECASE)
_NOTE = re.compile(r"(?:\d{1,3}[).]?|[*†‡§¶※]{1,3})\s*\S")
_MARKED = re.compile(r"\d{1,3}[).]$|[*†‡§¶※]{1,3}")
"""What a note begins with."""

_LEAST_RUNNING = 3
"""Pages that a running line as large as the body stands on, at least; the ends of two sentences may be alike."""

AS_LARGE = 0.97
"""Times the body's size: running lines are mostly smaller."""

_LEAST_ENTRIES = 3
"""Entries on a page that make a table of contents of it."""


def notes_over(atoms: Sequence[Atom], body_size: float) -> tuple[list[Atom], list[Atom]]:
    """Whole lines of a paragraph that are notes, where a page is too full and they lie over it; and the rest of it.

    They are smaller than the body, whose size is in points, and begin with a mark; the paragraph is not.
    """
    lines = [list(line) for _, line in groupby(atoms, key=lambda atom: atom.line)]
    small = [all(atom.style and atom.style.size < AS_LARGE * body_size for atom in line) for line in lines]
    is_note = [less and _MARKED.match(line[0].text) is not None for less, line in zip(small, lines, strict=True)]
    if not any(is_note) or all(small):
        return [], [*atoms]
    over = [atom for line, note in zip(lines, is_note, strict=True) if note for atom in line]
    return over, [atom for line, note in zip(lines, is_note, strict=True) if not note for atom in line]


def strays_of(blocks: Sequence[Block], body_size: float) -> dict[int, str]:
    """Blocks that only stand where running lines do, by identity: notes, and lines of the body.

    A running line has its wording on several pages and not in the body, or other letters, or says what a heading says.
    """
    headings = {_wording(block.text) for block in blocks if block.type == "heading"}
    body = {_wording(block.text) for block in blocks if block.type in {"text", "list"}}
    running = [block for block in blocks if block.type in {"header", "footer"}]
    count = Counter(_wording(block.text) for block in running)
    pages = len({block.page for block in blocks})
    found = {}
    for block in running:
        wording = _wording(block.text)
        is_often = count[wording] >= min(_LEAST_RUNNING, pages) > 1
        if not wording or wording in headings or (is_often and wording not in body):
            continue
        if block.type == "footer" and block.size < body_size and _NOTE.match(block.text):
            found[id(block)] = "note"
        elif block.size >= AS_LARGE * body_size:
            found[id(block)] = "text"
    return found


def body_size_of(blocks: Iterable[Block]) -> float:
    """Of most letters, in points; 0 where there are none."""
    letters: Counter[float] = Counter()
    for block in blocks:
        letters[block.size] += len(block.text)
    return letters.most_common(1)[0][0] if letters else 0.0


def _wording(text: str) -> str:
    """Its letters alone."""
    return "".join(letter for letter in text if letter.isalpha())


def contents_of(blocks: Sequence[Block]) -> set[int]:
    """The blocks of tables of contents, by identity."""
    pages: defaultdict[int, list[Block]] = defaultdict(list)
    for block in blocks:
        if block.type not in {"header", "footer", "footnote", "table", "image"}:
            pages[block.page].append(block)
    found: set[int] = set()
    last = -1
    for page, body in pages.items():
        leading = [index for index, block in enumerate(body) if _LEADERS.search(block.text)]
        if not leading or (len(leading) < _LEAST_ENTRIES and last != page - 1):
            continue
        title = next((index for index, block in enumerate(body) if _CONTENTS.fullmatch(block.text.strip())), None)
        start = 0 if last == page - 1 else leading[0] if title is None else title
        found.update(id(block) for block in body[start : leading[-1] + 1])
        last = page
    return found
