"""Markdown of a document's structure."""

import html
import re
from collections.abc import Iterable, Mapping

from services.pdf.worker.layout.blocks import Block
from services.pdf.worker.layout.structure import Structure
from services.pdf.worker.markdown import escape
from services.pdf.worker.markdown.flow import Flow, PageStart, Passage, flow_of
from services.pdf.worker.markdown.lists import Lists
from services.pdf.worker.markdown.tables import to_markdown

_LEAST_PICTURE = 36.0
"""Points in width and height; smaller ones are marks and lines."""

_PICTURE = "<!-- picture -->"
_HERE = "\0"
"""Where a page begins within a passage, while its text is escaped: no text of a document has it."""

_LEADERS = ".·\u2024\u2026\u22ef\u30fb"
_LEAST_LEADERS = 4
"""And one blank or more."""

_LONGEST_PAGE = 8
_PAGE = re.compile(rf"(?<=[\s{_LEADERS}])(?:\d{{1,5}}|[ivxlc]{{1,7}}|[IVXLC]{{1,7}})$")
_BACKTICKS = re.compile("`{3,}")


def write(structure: Structure, pages: Iterable[int], failed: Mapping[int, str]) -> str:
    """The pages as Markdown; see ToMarkdownResponse. `failed` says why other pages could not be read."""
    return _Writer(structure).write(flow_of(structure.blocks, pages, failed, structure.ends))


class _Writer:
    def __init__(self, structure: Structure) -> None:
        self._structure = structure
        self._lists = Lists()
        self._parts: list[str] = []
        self._written: set[int] = set()
        """Tables, which stand where they begin."""

    def write(self, flow: Flow) -> str:
        for at, piece in enumerate(flow):
            following = flow[at + 1] if at + 1 < len(flow) else None
            if isinstance(piece, PageStart):
                self._begin_page(piece, is_within_list=self._in_list and _is_item(following))
            elif _is_item(piece):
                self._add_item(piece)
            elif text := self._block(piece):
                self._add(text)
        return "".join(self._parts) + "\n" if self._parts else ""

    @property
    def _in_list(self) -> bool:
        return self._lists.are_open

    def _begin_page(self, start: PageStart, *, is_within_list: bool) -> None:
        if start.failure:
            self._add(f"<!-- page {start.page} not read: {start.failure} -->")
        elif is_within_list:  # at the end of an item, so that the next one belongs to the same list
            self._parts.append(f" {_mark(start.page)}")
        else:
            self._add(_mark(start.page))

    def _add(self, text: str) -> None:
        self._lists.close()
        self._parts += ["\n\n", text] if self._parts else [text]

    def _add_item(self, passage: Passage) -> None:
        gap = "\n" if self._in_list else "\n\n"
        start, passage.texts[0] = self._lists.begin(passage.block, passage.texts[0])
        self._parts += [gap, start, _with_pages(escape.paragraph(_joined(passage)), passage)]

    def _block(self, passage: Passage) -> str:
        """A passage that is no item; "" if there is nothing to write."""
        block = passage.block
        if block.type == "image":
            is_shown = min(block.box.x1 - block.box.x0, block.box.y1 - block.box.y0) >= _LEAST_PICTURE
            return _PICTURE if is_shown and self._parts[-1] != _PICTURE else ""
        if block.type == "table":
            return self._table(block)
        if "\n" in block.text and block.font:
            return _program(block.text)
        text = _joined(passage)
        if not text:
            return ""
        if block.type == "heading":
            text = f"{'#' * block.level} {escape.heading(text)}"
        elif block.type == "caption":
            text = f"*{escape.inline(text, in_runs=True)}*"
        elif block.type == "footnote":
            text = f"> {escape.paragraph(text)}"
        else:
            text = escape.paragraph(text)
        return _with_pages(text, passage)

    def _table(self, block: Block) -> str:
        table = self._structure.table_of(block)
        if table is None or id(table) in self._written:
            return ""
        self._written.add(id(table))
        return to_markdown(table, self._structure.ends)


def _is_item(piece: Passage | PageStart | None) -> bool:
    return isinstance(piece, Passage) and piece.block.type == "list"


def _mark(page: int) -> str:
    return f"<!-- page {page} -->"


def _joined(passage: Passage) -> str:
    """Its text on one line, with `_HERE` where pages begin."""
    text = f" {_HERE} ".join(" ".join(text.replace(_HERE, "").split()) for text in passage.texts).rstrip()
    return _without_leaders(text)


def _without_leaders(text: str) -> str:
    """An entry of a table of contents with one … for the dots that lead to its page: each dot would be a token."""
    found = _PAGE.search(text[-_LONGEST_PAGE:])
    if found is None:
        return text
    page = found[0]
    head = text[: len(text) - len(page)]
    title = head.rstrip(f"{_LEADERS} ")
    return f"{title} … {page}".lstrip() if len(head) - len(title) > _LEAST_LEADERS else text


def _with_pages(text: str, passage: Passage) -> str:
    for page in passage.pages:
        text = text.replace(_HERE, _mark(page), 1)
    return text


def _program(text: str) -> str:
    """Lines of a program; what could be taken for one of our own comments keeps no form but its lines."""
    if "<!--" in text:
        return f"<pre>\n{html.escape(text)}\n</pre>"
    fence = max(("`" * (len(run) + 1) for run in _BACKTICKS.findall(text)), default="```")
    return f"{fence}\n{text}\n{fence}"
