"""A table in Markdown: GitHub's if that can say it, else HTML."""

import html
from dataclasses import replace

from services.pdf.worker.layout.line_ends import LineEnds
from services.pdf.worker.layout.numbering import read
from services.pdf.worker.markdown import escape
from services.pdf.worker.tables.table import Cell, Table


def to_markdown(table: Table, ends: LineEnds) -> str:
    """A table; one without a head gets an empty one, as GitHub's tables must have one.

    Lines of a cell are joined, but for those that begin with a number or a mark.
    """
    rows = [[replace(cell, text=_joined(cell.text, ends)) for cell in row] for row in table.rows]
    if _is_plain(table):
        return _to_gfm(rows, table.columns, has_head=table.header_rows > 0)
    return _to_html(rows, table.header_rows)


def _is_plain(table: Table) -> bool:
    return table.header_rows <= 1 and all(cell.row_span == cell.column_span == 1 for row in table.rows for cell in row)


def _to_gfm(rows: list[list[Cell]], columns: int, *, has_head: bool) -> str:
    lines = [_line(row, columns) for row in rows]
    if not has_head:
        lines.insert(0, _line([], columns))
    lines.insert(1, f"|{'---|' * columns}")
    return "\n".join(lines)


def _line(cells: list[Cell], columns: int) -> str:
    texts = [""] * columns
    for cell in cells:
        texts[cell.column] = "<br>".join(map(escape.cell, cell.text.split("\n")))
    return f"| {' | '.join(texts)} |"


def _to_html(rows: list[list[Cell]], header_rows: int) -> str:
    """Without the tags that HTML lets one leave out, since they would be half of the tokens."""
    lines = ["<table>"]
    for at, row in enumerate(rows):
        tag = "th" if at < header_rows else "td"
        lines.append("".join(["<tr>", *(_html_cell(cell, tag) for cell in row)]))
    return "\n".join([*lines, "</table>"])


def _html_cell(cell: Cell, tag: str) -> str:
    down = f" rowspan={cell.row_span}" if cell.row_span > 1 else ""
    across = f" colspan={cell.column_span}" if cell.column_span > 1 else ""
    return f"<{tag}{down}{across}>{html.escape(cell.text, quote=False).replace(chr(10), '<br>')}"


def _joined(text: str, ends: LineEnds) -> str:
    """The lines of a cell as its paragraphs, with a line feed between them."""
    lines = text.split("\n")
    if len(lines) == 1:
        return text
    begins = [at for at, line in enumerate(lines) if at and read(line) is not None]
    return "\n".join(
        ends.join(lines[begin:end]) for begin, end in zip([0, *begins], [*begins, len(lines)], strict=True)
    )
