"""What stands on pages as passages: text that goes on over the end of a column or a page is one."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

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
    flow: Flow = []
    last = -1  # the passage with which text may go on
    for page in sorted(reasons):
        flow.append(PageStart(page, reasons[page]))
        for block in of_page[page]:
            if block.continues and _may_go_on(flow, last, block):
                last = _go_on(flow, last, block, ends)
                continue
            flow.append(Passage(block, [block.text]))
            if block.type in _BODY and not block.is_note:
                last = len(flow) - 1
    return flow


def _may_go_on(flow: Flow, last: int, block: Block) -> bool:
    before = flow[last] if last >= 0 else None
    if not isinstance(before, Passage) or "\n" in before.texts[-1] or "\n" in block.text:  # programs
        return False
    starts = sum(isinstance(each, PageStart) for each in flow[last + 1 :])
    return starts <= 1 and bool(before.texts[-1].strip() and block.text.strip())


def _go_on(flow: Flow, last: int, block: Block, ends: LineEnds) -> int:
    """Joins a block to a passage, and returns where that stands now.

    What came after the passage on its page, as a table or footnotes, goes before it: nothing leaves its page.
    """
    passage = flow[last]
    assert isinstance(passage, Passage)  # noqa: S101  # `_may_go_on` saw to it
    after = flow[last + 1 :]
    at = next((at for at, each in enumerate(after) if isinstance(each, PageStart)), None)
    if at is None:
        passage.go_on(block.text, None, ends)
        return last
    start = after[at]
    passage.go_on(block.text, start.page if isinstance(start, PageStart) else None, ends)
    first = _first_of_list(flow, last)
    flow[first:] = [*after[:at], *flow[first:last], passage, *after[at + 1 :]]
    return last + at


def _first_of_list(flow: Flow, last: int) -> int:
    """The first of the items up to this one, for a list is not torn apart; the passage itself if it is no item."""
    first = last
    while first >= 0 and isinstance(each := flow[first], Passage) and each.block.type == "list":
        first -= 1
    return min(first + 1, last)
