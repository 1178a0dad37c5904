"""What one column of one page has of a table."""

from dataclasses import dataclass, field

from services.pdf.worker.tables.columns import Column
from services.pdf.worker.tables.grid import Grid
from services.pdf.worker.tables.table import Table


@dataclass(slots=True)
class Fragment:
    """A table, or a part of one that goes on elsewhere; alone it may be too little for a table."""

    table: Table
    grid: Grid
    columns: list[Column] = field(default_factory=list)
    """From where to where its words reach, if no lines are between its columns."""

    is_open: bool = False
    """Whether it has no line at its end."""

    is_weak: bool = False
    """Whether it is too little for a table by itself."""
