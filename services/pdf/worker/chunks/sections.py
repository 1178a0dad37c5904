"""A document as sections: what stands under one heading, in one article, or in one table."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from services.pdf.worker.chunks.passages import DocumentText, Passage, passage_of
from services.pdf.worker.chunks.table_passages import rows_of
from services.pdf.worker.layout.blocks import MAX_LEVEL, Block
from services.pdf.worker.layout.numbering import read
from services.pdf.worker.layout.structure import Structure, structure_of
from services.pdf.worker.layout.titles import Title, above, path_of, with_titles
from services.pdf.worker.tables.table import Table
from services.pdf.worker.words import Reading


@dataclass(slots=True)
class Section:
    """Passages that belong together."""

    path: tuple[str, ...]
    """The titles above it and its own, outermost first."""

    passages: list[Passage] = field(default_factory=list)
    head: list[Passage] = field(default_factory=list)
    """Of a table: the caption and the rows of its head, which each of its chunks begins with if there is room."""


def sections_of(readings: Mapping[int, Reading], document: DocumentText) -> list[Section]:
    """The sections of pages, in reading order, without running lines.

    A heading stands at the beginning of what comes under it. One with nothing of its own begins the section that
    follows, and so does what stands above it. Footnotes are sections of their own, because they stand amid an article
    that goes on over the page.
    """
    structure = structure_of(readings, pictures={})
    sectioner = _Sectioner(document, structure)
    for block, title in _with_articles(structure.blocks):
        sectioner.take(block, title)
    return sectioner.finish()


def _parts(structure: Structure) -> Mapping[int, Sequence[Block]]:
    """The blocks of each table, by its id, from its first part to the last."""
    found: defaultdict[int, list[Block]] = defaultdict(list)
    tables = (block for block in structure.blocks if block.table is not None)
    for block in sorted(tables, key=attrgetter("page", "table")):
        found[id(structure.table_of(block))].append(block)
    return found


def _with_articles(blocks: Sequence[Block]) -> Iterator[tuple[Block, Title | None]]:
    """Each block with its title; an article without one ("제3조 이 규정은 …") is called by its number."""
    level = MAX_LEVEL
    for block, title in with_titles(blocks):
        number = read(block.marker) if block.marker else None
        if title is not None:
            level = title.level if number is not None and number.kind == "article" else min(title.level + 1, MAX_LEVEL)
        elif (
            number is not None
            and number.kind == "article"
            and block.type == "text"
            and not block.continues
            and not block.text[number.end :].lstrip().startswith("제")  # a reference: "제3조 제1항에 …"
        ):
            yield block, Title(number.marker, level)
            continue
        yield block, title


class _Sectioner:
    """Takes blocks in reading order, and makes sections of them."""

    def __init__(self, document: DocumentText, structure: Structure) -> None:
        self._document = document
        self._structure = structure
        self._parts = _parts(structure)
        self._titles: list[Title] = []
        self._current = Section(())
        self._found = [self._current]
        self._is_bare = True
        """Whether the current section has nothing but headings so far."""

        self._caption: Passage | None = None
        """It stands before the next block, which may be its table."""

        self._table: Section | None = None
        """It stands before the next block, which may be its caption."""

        self._page = 0

    def take(self, block: Block, title: Title | None) -> None:
        """The next block."""
        if block.type in {"header", "footer", "image"}:
            return
        if (table := self._structure.table_of(block)) is not None:
            self._take_table(block, table)
        elif (passage := passage_of(block, self._document)).text:
            self._take_text(block, title, passage)
        self._page = block.page

    def finish(self) -> list[Section]:
        """All sections with anything in them."""
        self._settle_caption()
        return [section for section in self._found if section.passages]

    def _take_text(self, block: Block, title: Title | None, passage: Passage) -> None:
        if block.type == "footnote":
            self._found.append(Section(self._path(), [passage]))
            return
        self._settle_caption()
        self._enter(block, title)
        if block.type == "caption":
            self._caption = passage
        else:
            self._current.passages.append(passage)
            self._is_bare = self._is_bare and block.type == "heading"
            self._table = None

    def _path(self) -> tuple[str, ...]:
        return path_of(self._titles)

    def _enter(self, block: Block, title: Title | None) -> None:
        """Begins another section if the block does."""
        if title is not None:
            under = above(title, self._titles)
            is_next = bool(block.marker) and len(under) < len(self._titles)  # an article after one that says nothing
            self._titles = [*under, title]
            if self._is_bare and not (is_next and self._current.passages):
                self._current.path = self._path()
                return
        elif block.page <= self._page + 1:  # where pages are missing, what follows may stand under another heading
            return
        self._begin()

    def _begin(self) -> None:
        self._current = Section(self._path())
        self._found.append(self._current)
        self._is_bare = True

    def _take_table(self, block: Block, table: Table) -> None:
        blocks = self._parts[id(table)]
        if block is not blocks[0]:
            return
        rows = rows_of(table, blocks, self._document)
        lead = [self._caption] if self._caption is not None else []
        if self._is_bare:  # headings with nothing of their own
            lead = [*self._current.passages, *lead]
            self._current.passages = []
        section = Section(self._path(), [*lead, *rows], [*lead, *rows[: table.header_rows]])
        self._found.append(section)
        if self._is_bare:
            self._begin()
        self._table = section if self._caption is None else None
        self._caption = None

    def _settle_caption(self) -> None:
        """Gives a caption with no table after it to the one before it, or to the text."""
        if self._caption is not None:
            (self._table or self._current).passages.append(self._caption)
            self._is_bare = self._is_bare and self._table is not None
        self._caption = self._table = None
