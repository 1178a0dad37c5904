"""What Markdown says, taken apart by markdown-it, beside the truth of a made document."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, TypeAlias

from markdown_it import MarkdownIt
from markdown_it.token import Token

Cell: TypeAlias = tuple[int, int, str]
"""Its row and column, from 0, and its text without white space."""

_PARSER = MarkdownIt("commonmark").enable("table")
_MARKS = "•◦▪‣"


@dataclass(slots=True)
class Said:
    """The structure that a document's Markdown has."""

    headings: list[str] = field(default_factory=list)
    """Texts without white space, likewise those of items."""

    items: list[str] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    """Of all tables; empty ones are left out."""

    text: str = ""
    """All of it as plain text."""


@dataclass(slots=True)
class Counts:
    """Of one kind of thing: how many there are, were found, and were found where there are some."""

    true: int = 0
    found: int = 0
    both: int = 0

    @property
    def f1(self) -> float:
        """1 if there is nothing and nothing was found."""
        return 2 * self.both / (self.true + self.found) if self.true + self.found else 1.0

    def add(self, true: Sequence[Any], found: Sequence[Any]) -> None:
        """Adds those of a document."""
        self.true += len(true)
        self.found += len(found)
        self.both += (Counter(true) & Counter(found)).total()


def squeezed(text: str) -> str:
    """A text without white space, and without the bullet that it may begin with."""
    return "".join(text.split()).lstrip(_MARKS)


def parse(markdown: str) -> Said:
    """Takes Markdown apart."""
    said = Said()
    texts: list[str] = []
    tokens = _PARSER.parse(markdown)
    parents: list[str] = []
    for at, token in enumerate(tokens):
        if token.type == "table_open":
            said.cells += _cells(tokens[at:])
        if token.nesting > 0:
            parents.append(token.type)
        elif token.nesting < 0:
            parents.pop()
        elif token.type == "html_block" and token.content.startswith("<table"):
            table = _Table()
            table.feed(token.content)
            said.cells += table.cells
            texts.append(table.text)
        elif token.type == "inline":
            text = _plain(token)
            texts.append(text)
            if "heading_open" in parents:
                said.headings.append(squeezed(text))
            elif "list_item_open" in parents:
                said.items.append(squeezed(text))
        elif token.type == "fence":
            texts.append(token.content)
    said.text = "\n".join(texts)
    return said


def truth_of(made: Mapping[str, Any]) -> Said:
    """What the Markdown of a document of `structured.py` should say."""
    said = Said()
    for block in made["blocks"]:
        if block["type"] == "heading":
            said.headings.append(squeezed(block["text"]))
        elif block["type"] == "list":
            said.items.append(squeezed(block["text"]))
    for rows in made["tables"]:
        said.cells += [
            (at, column, squeezed(cell)) for at, row in enumerate(rows) for column, cell in enumerate(row) if cell
        ]
    return said


def _plain(token: Token) -> str:
    return "".join(
        " " if child.type in {"html_inline", "softbreak"} else child.content for child in token.children or []
    )


def _cells(tokens: Sequence[Token]) -> Iterator[Cell]:
    """Those of the table that begins here; an empty head is no row."""
    rows: list[list[str]] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(squeezed(_plain(token)))
        elif token.type == "table_close":
            break
    if not any(rows[0]):
        del rows[0]
    for at, row in enumerate(rows):
        yield from ((at, column, text) for column, text in enumerate(row) if text)


class _Table(HTMLParser):
    """A table in HTML as cells by row and column."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self._row = -1
        self._texts: dict[tuple[int, int], str] = {}
        self._taken: set[tuple[int, int]] = set()
        self._at: tuple[int, int] | None = None

    @property
    def cells(self) -> list[Cell]:
        return [(*place, squeezed(text)) for place, text in self._texts.items() if text.strip()]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self._row += 1
        elif tag in {"td", "th"}:
            column = 0
            while (self._row, column) in self._taken:
                column += 1
            spans = {name: int(value or 1) for name, value in attrs}
            self._taken.update(
                (self._row + down, column + across)
                for down in range(spans.get("rowspan", 1))
                for across in range(spans.get("colspan", 1))
            )
            self._at = self._row, column
            self._texts[self._at] = ""
            self.text += " "

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"}:
            self._at = None

    def handle_data(self, data: str) -> None:
        if self._at is not None:
            self._texts[self._at] += data
            self.text += data
