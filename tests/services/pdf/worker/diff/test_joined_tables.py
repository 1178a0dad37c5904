"""Tables in two columns of a page that were joined because they have the same head."""

from services.pdf.worker.boxes import Box
from services.pdf.worker.diff.joined_tables import one_by_one
from services.pdf.worker.tables.table import Cell, Part, Table


def row(x: float, y: float, *texts: str) -> list[Cell]:
    return [
        Cell(text, 1, 1, Box(x + 50 * column, y, x + 50 * column + 50, y + 20), column=column)
        for column, text in enumerate(texts)
    ]


def joined(page: int, top: float) -> Table:
    """Rows in the left column, and one more in the right column of a page whose part begins at `top`."""
    rows = [row(72, 100, "Class", "Limit"), row(72, 120, "First", "250"), row(300, 200, "Second", "90")]
    return Table(1, Box(72, 100, 172, 140), 2, 1, rows, continues=[Part(page, Box(300, top, 400, 220), 2)])


def test_a_table_below_a_head_of_its_own_is_one_of_its_own_with_that_head() -> None:
    first, second = one_by_one(joined(page=1, top=180))
    assert [len(first.rows), len(second.rows)] == [2, 2]
    assert second.rows[0][1].box == Box(350, 180, 400, 200)
    assert not first.continues


def test_what_goes_on_without_a_head_or_on_another_page_stays_one_table() -> None:
    for table in (joined(page=1, top=200), joined(page=2, top=180)):
        (whole,) = one_by_one(table)
        assert (whole.rows, whole.continues) == (table.rows, table.continues)
