"""Tables that stand in two columns of one page and have the same head: each is compared on its own."""

from dataclasses import replace

from services.pdf.worker.boxes import Box
from services.pdf.worker.tables.table import Part, Table

_HEAD = 4.0
"""Points that are free above the first row of a part where a head is repeated, at least."""


def one_by_one(table: Table) -> list[Table]:
    """The table, cut where it goes on upon the same page below a head of its own; that head is its first row again."""
    found: list[Table] = []
    page = table.page
    parts = [Part(table.page, table.box, 0), *table.continues]
    for part, after in zip(parts, [*parts[1:], None], strict=True):
        rows = table.rows[part.row : after.row if after else None]
        if not found:
            found.append(replace(table, rows=[*rows], continues=[]))
        elif rows and part.page == page and min(cell.box.y0 for cell in rows[0]) >= part.box.y0 + _HEAD:
            head = [replace(cell, box=Box(cell.box.x0, part.box.y0, cell.box.x1, cell.box.y0)) for cell in rows[0]]
            found.append(replace(table, page=part.page, box=part.box, rows=[head, *rows], continues=[]))
        else:
            found[-1].continues.append(replace(part, row=len(found[-1].rows)))
            found[-1].rows += rows
        page = part.page
    return found
