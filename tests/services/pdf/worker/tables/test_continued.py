"""Tables that go on over pages and columns, of pages that are drawn here."""

import pytest

from tests.services.pdf.worker.tables.drawn import HEIGHT, OPEN, TEXTS, XS, Page, rows_from, tables_of, texts_of


def two_pages(first: int, second: list[list[str]], top: float = 60) -> tuple[Page, Page]:
    one, other = Page(), Page()
    one.prose(60, 40)
    one.grid(
        XS, rows_from(HEIGHT - 80 - 20 * first, first), [["Name", "Kind", "Amount"], *[["a", "b", "1"]] * (first - 1)]
    )
    other.grid(XS, rows_from(top, len(second)), second)
    return one, other


def test_a_table_goes_on_at_the_top_of_the_next_page() -> None:
    [table] = tables_of(*two_pages(5, [["c", "d", "2"], ["e", "f", "3"]]))
    assert len(table.rows) == 7
    [part] = table.continues
    assert (table.page, part.page, part.row, part.box) == (1, 2, 5, (60, 60, 420, 100))


def test_a_head_that_is_repeated_stands_there_once() -> None:
    [table] = tables_of(*two_pages(5, [["Name", "Kind", "Amount"], ["c", "d", "2"]]))
    assert texts_of(table)[0] == ["Name", "Kind", "Amount"]
    assert len(table.rows) == 6
    assert table.header_rows == 1


def test_running_heads_and_feet_do_not_come_between() -> None:
    pages = two_pages(5, [["c", "d", "2"], ["e", "f", "3"]])
    for number, page in enumerate(pages, 1):
        page.write(60, 40, "Rules of the company")
        page.write(280, 810, f"- {number} -")
    assert len(tables_of(*pages)) == 1


@pytest.mark.parametrize("x", [60.0, 80.0], ids=["a caption above it", "a text beside it"])
def test_a_table_after_other_text_is_another(x: float) -> None:
    one, other = two_pages(5, [["c", "d", "2"], ["e", "f", "3"]], top=120)
    other.write(x, 100, "Table 2. Other things")
    assert len(tables_of(one, other)) == 2


def test_a_table_with_room_left_below_it_does_not_go_on() -> None:
    one, other = Page(), Page()
    one.grid(XS, rows_from(60, 4), TEXTS)
    other.grid(XS, rows_from(60, 3), TEXTS[1:])
    other.prose(130, 45)
    assert len(tables_of(one, other)) == 2


def test_a_half_ruled_table_goes_on_without_a_line_at_the_pages_end() -> None:
    one, other = Page(), Page()
    one.prose(60, 45)
    one.rule(60, 700, 420, 700)
    one.rule(60, 720, 420, 720)
    one.fill(XS, rows_from(700, 3), OPEN[:3])
    other.fill(XS, [60, 80], [["Ink", "black", "90"], ["Glue", "white", "17"]])
    other.rule(60, 102, 420, 102)
    other.prose(130, 40)
    [table] = tables_of(one, other)
    assert texts_of(table) == [*OPEN, ["Glue", "white", "17"]]
    assert [part.page for part in table.continues] == [2]


def test_a_table_goes_on_in_the_next_column() -> None:
    page = Page()
    page.prose(60, 48, 57, 220)
    xs = [57.0, 160.0, 280.0]
    page.grid(xs, rows_from(740, 2), [["Name", "Amount"], ["Paper", "738,117"]])
    page.grid([x + 253 for x in xs], rows_from(60, 2), [["Pens", "1,200"], ["Ink", "90"]])
    page.prose(110, 48, 310, 220)
    [table] = tables_of(page)
    assert texts_of(table) == [["Name", "Amount"], ["Paper", "738,117"], ["Pens", "1,200"], ["Ink", "90"]]


def half_ruled_at_the_foot(texts: list[list[str]]) -> Page:
    """Text, then a table with a line above its head and one below, down to the page's end."""
    page = Page()
    page.prose(60, 45)
    page.rule(60, 700, 420, 700)
    page.rule(60, 720, 420, 720)
    page.fill(XS, rows_from(700, len(texts)), texts)
    return page


def rest_at_the_top(texts: list[list[str]], *, left: float = 0) -> Page:
    """Rows, a line below them and text."""
    page = Page()
    page.fill([x + left for x in XS], rows_from(60, len(texts)), texts)
    page.rule(60, 62 + 20 * len(texts), 420, 62 + 20 * len(texts))
    page.prose(100 + 20 * len(texts), 38)
    return page


def test_cells_of_a_row_that_the_pages_end_parts_are_one_row() -> None:
    one = half_ruled_at_the_foot([*OPEN[:3], ["", "black", "90"]])
    other = rest_at_the_top([["Ink", "", ""], ["Glue", "white", "17"]])
    [table] = tables_of(one, other)
    assert texts_of(table) == [*OPEN, ["Glue", "white", "17"]]


def test_parts_whose_cells_are_wider_and_narrower_are_one_table() -> None:
    one = half_ruled_at_the_foot([["Name", "Kind", "Amount"], ["Paper of two kinds", "A4", "738,117"]])
    other = rest_at_the_top([["Ink", "black from China", "90"], ["Glue", "white", "17"], ["Pens", "b", "1"]])
    [table] = tables_of(one, other)
    assert len(table.rows) == 5


def test_rows_may_begin_below_the_head_with_one_line_of_a_cell() -> None:
    page = Page()
    page.rule(60, 100, 420, 100)
    page.rule(60, 120, 420, 120)
    page.fill(XS, [100], OPEN[:1])
    page.write(184, 122, "blue or")  # its middle stands beside the other cells of the row
    page.write(64, 128, "Paper")
    page.write(304, 128, "738,117")
    page.write(184, 134, "green")
    page.fill(XS, [146, 166], OPEN[2:])
    [table] = tables_of(page)
    assert texts_of(table) == [OPEN[0], ["Paper", "blue or\ngreen", "738,117"], *OPEN[2:]]


def test_cells_of_many_lines_do_not_end_a_table() -> None:
    page = Page()
    page.rule(60, 100, 420, 100)
    page.rule(60, 120, 420, 120)
    page.fill(XS, [100], OPEN[:1])
    for index in range(12):
        top = 122 + 30 * index
        page.write(64, top, "red and")
        page.write(184, top + 6, "Paper")
        page.write(304, top + 6, "738,117")
        page.write(64, top + 12, "green")
    page.fill(XS, [490, 518], OPEN[2:])
    [table] = tables_of(page)
    assert len(table.rows) == 15


def test_a_head_wider_than_its_numbers_is_in_their_column() -> None:
    page = Page()
    page.rule(60, 100, 420, 100)
    page.rule(60, 134, 420, 134)
    page.rule(60, 200, 420, 200)
    page.write(300, 104, "Amounts of")
    page.write(64, 110, "Name")
    page.write(184, 110, "Kind")
    page.write(300, 116, "all")
    for index, (name, kind, amount) in enumerate(OPEN[1:]):
        page.fill([64, 184, 376 - 5 * len(amount)], [138 + 20 * index], [[name, kind, amount]])
    [table] = tables_of(page)
    assert texts_of(table)[0] == ["Name", "Kind", "Amounts of\nall"]


@pytest.mark.parametrize("count", [2, 3], ids=["two rows", "three rows"])
def test_a_table_of_which_only_its_first_line_is_drawn_goes_on(count: int) -> None:
    one, other = Page(), Page()
    one.prose(60, 45)
    one.rule(60, 700, 420, 700)
    one.fill(XS, rows_from(700, count), OPEN[:count])
    other.fill(XS, rows_from(60, 30), [["Glue", "white", "17"]] * 30)
    other.rule(60, 662, 420, 662)
    [table] = tables_of(one, other)
    assert len(table.rows) == count + 30
    assert [part.page for part in table.continues] == [2]


def test_a_line_above_text_in_columns_on_every_page_makes_no_table() -> None:
    pages = [Page() for _ in range(3)]
    for number, page in enumerate(pages):
        page.write(57, 40, f"Journal {number}")
        page.rule(57, 54, 537, 54)
        page.prose(60, 50, 57, 220)
        page.prose(60, 50, 310, 220)
    assert tables_of(*pages) == []


def test_rows_with_empty_cells_at_the_pages_end_stay_two() -> None:
    one = half_ruled_at_the_foot([*OPEN[:3], ["Ink", "", "90"]])
    other = rest_at_the_top([["Chalk", "white", ""], ["Glue", "white", "17"]])
    [table] = tables_of(one, other)
    assert len(table.rows) == 6
