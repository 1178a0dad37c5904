"""A table as CSV and as HTML."""

import csv
import html
import io

from services.pdf.worker.tables.table import Cell, Table


def to_csv(table: Table) -> str:
    """Comma-separated values by RFC 4180. A cell that spans others is followed by empty ones, also in later rows."""
    grid = [[""] * table.columns for _ in table.rows]
    for row, cells in zip(grid, table.rows, strict=True):
        for cell in cells:
            row[cell.column] = cell.text
    written = io.StringIO()
    csv.writer(written).writerows(grid)
    return written.getvalue()


def to_html(table: Table) -> str:
    """A `<table>` element without any attribute but `rowspan` and `colspan`."""
    head, body = table.rows[: table.header_rows], table.rows[table.header_rows :]
    parts = [f"<thead>{_rows(head, 'th')}</thead>"] if head else []
    return f"<table>{''.join(parts)}<tbody>{_rows(body, 'td')}</tbody></table>"


def _rows(rows: list[list[Cell]], tag: str) -> str:
    return "".join(f"<tr>{''.join(_cell(cell, tag) for cell in row)}</tr>" for row in rows)


def _cell(cell: Cell, tag: str) -> str:
    down = f' rowspan="{cell.row_span}"' if cell.row_span > 1 else ""
    across = f' colspan="{cell.column_span}"' if cell.column_span > 1 else ""
    return f"<{tag}{down}{across}>{html.escape(cell.text).replace(chr(10), '<br>')}</{tag}>"
