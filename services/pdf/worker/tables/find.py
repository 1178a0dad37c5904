"""All tables of some pages."""

from collections.abc import Iterable, Mapping

from services.pdf.worker.tables.ruled import ruled_tables
from services.pdf.worker.tables.sheet import sheet_of
from services.pdf.worker.tables.table import Table
from services.pdf.worker.words import Reading


def find_tables(readings: Mapping[int, Reading]) -> list[Table]:
    """The tables of the pages, by their numbers from 1, in the order of the pages and down each page."""
    found = []
    for page in readings:
        found += ruled_tables(sheet_of(page, readings[page]))
    return found
