"""What stands on pages as passages: text that goes on over the end of a column or a page is one."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, TypeGuard

from services.pdf.worker.layout.blocks import Block
from services.pdf.worker.layout.line_ends import LineEnds

_RUNNING = frozenset(["header", "footer"])
_BODY = frozenset(["heading", "text", "list"])


@dataclass(frozen=True, slots=True)
class PageStart:
    """Where a page begins."""

    page: int
    """From 1."""

    failure: str = ""
    """Why it could not be read; "" if it was."""


@dataclass(slots=True)
class Passage:
    """A block, and the blocks of text that go on with it."""

    block: Block
    """The first."""

    texts: list[str]
    """One for each page that it stands on."""

    pages: list[int] = field(default_factory=list)
    """The pages that begin between these texts."""

    def go_on(self, text: str, page: int | None, ends: LineEnds) -> None:
        """Adds the text of a block that goes on with it; `page` if that is the first on a page.

        A word that the page's end cuts is left whole, before the page.
        """
        if page is None:
            self.texts[-1] = ends.join([self.texts[-1], text])
            return
        first, *rest = text.split(maxsplit=1)
        last = self.texts[-1].rsplit(maxsplit=1)[-1]
        if ends.join([last, first]) != f"{last} {first}":
            self.texts[-1] = ends.join([self.texts[-1], first])
            text = "".join(rest)
        self.texts.append(text)
        self.pages.append(page)


Flow: TypeAlias = list[Passage | PageStart]


def flow_of(blocks: Iterable[Block], pages: Iterable[int], failed: Mapping[int, str], ends: LineEnds) -> Flow:
    """The passages of the body with the starts of pages between them.

    `pages` are those that were read. `failed` says why others were not. Running lines are left out.
    """
    of_page: defaultdict[int, list[Block]] = defaultdict(list)
    for block in blocks:
        if block.type not in _RUNNING:
            of_page[block.page].append(block)
    reasons = {**failed, **dict.fromkeys(pages, "")}
    flowing = _Flowing(ends)
    for page in sorted(reasons):
        flowing.begin(PageStart(page, reasons[page]))
        for block in of_page[page]:
            flowing.add(block)
    return flowing.flow


class _Flowing:
    """A flow to which blocks are added."""

    def __init__(self, ends: LineEnds) -> None:
        self.flow: Flow = []
        self._ends = ends
        self._last = -1
        """The passage with which text may go on."""

        self._starts: list[int] = []
        """The starts of pages after it."""

    def begin(self, start: PageStart) -> None:
        self._starts.append(len(self.flow))
        self.flow.append(start)

    def add(self, block: Block) -> None:
        before = self.flow[self._last] if self._last >= 0 else None
        if block.continues and isinstance(before, Passage) and self._goes_on(before, block):
            self._go_on(before, block)
            return
        if block.type in _BODY and not block.is_note:
            self._last, self._starts = len(self.flow), []
        self.flow.append(Passage(block, [block.text]))

    def _goes_on(self, before: Passage, block: Block) -> bool:
        if len(self._starts) > 1 or (before.pages and self._starts and self._starts[0] > self._last + 1):
            return False  # what stands between would have to go to an earlier page
        return all(text.strip() and "\n" not in text for text in (before.texts[-1], block.text))  # no program

    def _go_on(self, passage: Passage, block: Block) -> None:
        """Joins a block to a passage.

        What came after the passage on its page, as a table or footnotes, goes before it: nothing leaves its page.
        """
        if not self._starts:
            passage.go_on(block.text, None, self._ends)
            return
        first, last, (start,) = self._first_of_list(), self._last, self._starts
        passage.go_on(block.text, block.page, self._ends)
        self.flow[first:] = [*self.flow[last + 1 : start], *self.flow[first : last + 1], *self.flow[start + 1 :]]
        self._last, self._starts = start - 1, []

    def _first_of_list(self) -> int:
        """The first of the page's items up to the passage, for a list is not torn apart; else the passage itself."""
        first = self._last
        while (
            first > 0 and _is_item(self.flow[first]) and _is_item(before := self.flow[first - 1]) and not before.pages
        ):
            first -= 1
        return first


def _is_item(piece: Passage | PageStart) -> TypeGuard[Passage]:
    return isinstance(piece, Passage) and piece.block.type == "list"
