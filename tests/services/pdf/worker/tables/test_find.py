"""Tables of every kind, of pages that are drawn here."""

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.pdf.worker.words import in_units
from tests.services.pdf.worker.tables.drawn import OPEN, TEXTS, XS, Page, rows_from, tables_of, texts_of


def test_a_ruled_table_has_the_cells_between_its_lines() -> None:
    page = Page()
    page.grid(XS, rows_from(100, 4), TEXTS)
    [table] = tables_of(page)
    assert texts_of(table) == TEXTS
    assert (table.page, table.columns, table.is_ruled) == (1, 3, True)
    assert table.box == (60, 100, 420, 180)
    assert table.rows[1][2].box == (300, 120, 420, 140)


def test_words_keep_their_commas_and_blanks() -> None:
    page = Page()
    page.grid(XS, rows_from(100, 2), [["a b", "1,234,567", "제1조 (목적)"], ["x", "y", "z, w"]])
    assert texts_of(tables_of(page)[0]) == [["a b", "1,234,567", "제1조 (목적)"], ["x", "y", "z, w"]]


def test_lines_of_a_cell_have_a_line_feed_between_them() -> None:
    page = Page()
    page.grid(XS, [100, 150, 170], [["one", "two", "three"], ["x", "y", "z"]])
    page.write(64, 120, "more of it")
    assert texts_of(tables_of(page)[0])[0][0] == "one\nmore of it"


def test_a_line_that_is_missing_makes_a_cell_that_spans() -> None:
    page = Page()
    for y0, x0 in ((100, 60), (120, 60), (140, 180), (160, 60)):  # none below the first cell of the second row
        page.rule(x0, y0, 420, y0)
    page.rule(60, 100, 60, 160)
    page.rule(420, 100, 420, 160)
    page.rule(180, 120, 180, 160)  # nor in the first row
    page.rule(300, 120, 300, 160)
    page.fill(XS, rows_from(100, 3), [["Head over all"], ["both rows", "b", "c"], ["", "d", "e"]])
    [table] = tables_of(page)
    spans = [[(cell.text, cell.row_span, cell.column_span) for cell in row] for row in table.rows]
    assert spans == [
        [("Head over all", 1, 3)],
        [("both rows", 2, 1), ("b", 1, 1), ("c", 1, 1)],
        [("d", 1, 1), ("e", 1, 1)],
    ]


def test_a_table_may_be_open_to_the_left_and_right() -> None:
    page = Page()
    for y in rows_from(100, 4):
        page.rule(60, y, 420, y)
    for x in XS[1:-1]:
        page.rule(x, 100, x, 180)
    page.fill(XS, rows_from(100, 4), TEXTS)
    assert texts_of(tables_of(page)[0]) == TEXTS


def test_double_lines_and_the_boxes_of_single_cells_make_no_cells_of_their_own() -> None:
    page = Page()
    for row, top in enumerate((100.0, 122.0, 144.0)):
        for column, left in enumerate((60.0, 182.0, 304.0)):
            page.grid([left, left + 120], [top, top + 20])
            page.write(left + 4, top + 4, TEXTS[row][column])
    assert texts_of(tables_of(page)[0]) == TEXTS[:3]


def test_lines_of_words_that_all_cells_of_a_row_have_are_rows() -> None:
    page = Page()
    page.grid(XS, [100, 120, 180], TEXTS[:1])
    page.fill(XS, [116, 132, 148], TEXTS[1:])
    assert texts_of(tables_of(page)[0]) == TEXTS


def test_prose_in_the_cells_of_a_row_is_no_rows() -> None:
    page = Page()
    page.grid([60, 180, 300], [100, 120, 180], [["Left", "Right"]])
    for y in (124, 138, 152):
        page.write(64, y, "lorem ipsum dolor amet")
        page.write(184, y, "consectetur adipiscing")
    assert len(tables_of(page)[0].rows) == 2


def test_a_half_ruled_table_has_columns_by_its_gaps() -> None:
    page = Page()
    for y in (100, 120, 182):
        page.rule(60, y, 420, y)
    page.fill(XS, rows_from(100, 4), OPEN)
    [table] = tables_of(page)
    assert texts_of(table) == OPEN
    assert (table.header_rows, table.is_ruled) == (1, False)


def test_lines_of_one_cell_are_nearer_than_rows() -> None:
    page = Page()
    for y in (100, 120, 192):
        page.rule(60, y, 420, y)
    page.fill(XS, [100], [["Name", "Kind", "Amount"]])
    page.fill(XS, [120, 152, 172], [["Paper", "A4 and", "10"], ["Pens", "blue", "20"], ["Ink", "black", "30"]])
    page.write(184, 136, "letter")
    assert texts_of(tables_of(page)[0])[1] == ["Paper", "A4 and\nletter", "10"]


def test_a_line_under_a_head_binds_the_columns_below_it() -> None:
    page = Page()
    for y in (100, 140, 182):
        page.rule(60, y, 420, y)
    page.write(260, 104, "Amounts")
    page.rule(184, 120, 420, 120)
    page.fill(XS, [120, 140, 160], [["Name", "won", "dollars"], ["Paper", "738,117", "500"], ["Ink", "90", "7"]])
    [table] = tables_of(page)
    assert table.header_rows == 2
    assert [(cell.text, cell.column, cell.column_span) for cell in table.rows[0]] == [("", 0, 1), ("Amounts", 1, 2)]


def test_a_line_under_a_part_of_a_head_begins_no_table_within_the_table() -> None:
    page = Page()
    xs = [60.0, 160.0, 260.0, 360.0]
    for y in (100, 140, 260):
        page.rule(60, y, 480, y)
    page.rule(156, 120, 480, 120)
    page.fill([300], [100], [["Amounts of both"]])
    page.fill(xs, [120, 140, 160, 180, 200, 220], [["Name", "Paper", "Pens", "Ink"], *[["one", "1", "2", "3"]] * 5])
    assert len(tables_of(page)) == 1


def test_a_table_without_any_line_is_found_by_its_columns() -> None:
    page = Page()
    page.prose(60, 3)
    page.fill(XS, rows_from(130, 4, 16), OPEN)
    page.prose(230, 3)
    assert [texts_of(table) for table in tables_of(page)] == [OPEN]


@pytest.mark.parametrize(
    "rows",
    [
        [["1.", "the first of some points"], ["2.", "the second of them"], ["3.", "third"], ["4.", "fourth"]],
        [["1", "Scope", "3"], ["2", "Terms", "7"], ["3", "Duties", "12"], ["4", "Fees", "20"]],
        [["Scope", "......", "9"], ["Terms", "......", "3"], ["Duties", "......", "12"]],
        [["Kim", "present"], ["Lee", "absent"], ["Park", "present"], ["Choi", "present"]],
    ],
    ids=["a list", "contents", "contents with dots", "two columns of words"],
)
def test_what_lines_up_need_not_be_a_table(rows: list[list[str]]) -> None:
    page = Page()
    page.fill(XS, rows_from(130, len(rows), 16), rows)
    assert tables_of(page) == []


def test_text_in_columns_is_no_table_even_between_lines() -> None:
    page = Page()
    page.rule(57, 50, 530, 50)
    page.rule(57, 800, 530, 800)
    page.prose(60, 40, 57, 220)
    page.prose(60, 40, 307, 220)
    assert tables_of(page) == []


def test_a_frame_a_tree_and_the_axes_of_a_chart_are_no_tables() -> None:
    page = Page()
    page.grid([60, 500], [60, 200], [["A note in a frame"]])
    page.rule(100, 300, 100, 400)  # a tree
    for y in (310, 330, 350):
        page.rule(100, y, 130, y)
        page.write(134, y - 5, "a leaf")
    page.rule(60, 600, 400, 600)  # axes
    page.rule(200, 450, 200, 750)
    page.rule(190, 500, 210, 500)
    page.rule(300, 590, 300, 610)
    page.write(180, 495, "10")
    page.write(297, 612, "5")
    assert tables_of(page) == []


def test_lines_around_all_of_a_page_are_no_table() -> None:
    page = Page()
    page.grid([30, 420, 560], [40, 600, 800], [["A report", "ABOUT US"], ["No. 5110", "example.com"]])
    page.prose(80, 12, 40, 360)
    assert tables_of(page) == []


def test_words_around_the_boxes_of_a_drawing_are_no_table() -> None:
    page = Page()
    for row, texts in enumerate([["31", "20", "12"], ["funct", "rs1", "op"], ["12", "5", "7"], ["WFI", "0", "SYS"]]):
        page.fill(XS, [100 + 16 * row], [texts])
    page.rule(56, 118, 420, 118)
    page.rule(56, 131, 420, 131)
    for x in (56, 176, 296, 420):
        page.rule(x, 118, x, 131)
    assert tables_of(page) == []


def test_a_table_in_a_cell_is_a_table_and_its_words_are_not_twice() -> None:
    page = Page()
    page.grid([40, 160, 560], [80, 100, 300], [["Kind", "Details"], ["stock"]])
    page.grid([200, 320, 440], rows_from(140, 3), [["Paper", "1"], ["Pens", "2"], ["Ink", "3"]])
    outer, inner = tables_of(page)
    assert texts_of(outer) == [["Kind", "Details"], ["stock", ""]]
    assert texts_of(inner) == [["Paper", "1"], ["Pens", "2"], ["Ink", "3"]]


def test_bold_or_filled_rows_are_the_head() -> None:
    page = Page()
    page.grid(XS, rows_from(100, 3), [[], TEXTS[1], TEXTS[2]])
    for x, text in zip(XS, TEXTS[0], strict=False):
        page.write(x + 4, 104, text, bold=True)
    other = Page()
    other.grid(XS, rows_from(100, 3), [["a", "b", "c"], ["d", "e", "f"], ["g", "h", "i"]])
    other.reading.fills += in_units([60, 100, 420, 120])
    assert [table.header_rows for table in (*tables_of(page), *tables_of(other))] == [1, 1]


def test_filled_boxes_upon_a_grid_are_its_head_without_lines() -> None:
    page = Page()
    page.grid(XS, rows_from(120, 2), TEXTS[1:3])
    for left, right in pairwise(XS):
        page.reading.fills += in_units([left, 100, right, 120])
    page.fill(XS, [100], TEXTS[:1])
    [table] = tables_of(page)
    assert texts_of(table) == TEXTS[:3]
    assert table.header_rows == 1


def test_titles_of_groups_of_rows_do_not_hide_the_numbers_below_a_head() -> None:
    page = Page()
    page.grid([60, 180, 300], [100, 120], [["Number", "Name"]])
    for top in (120, 180, 240):
        page.grid([60, 300], [top, top + 20], [["Registers"]])
        page.grid([60, 180, 300], [top + 20, top + 40, top + 60], [["0x10", "one"], ["0x11", "two"]])
    [table] = tables_of(page)
    assert (len(table.rows), table.header_rows) == (10, 1)


def test_labels_above_numbers_are_the_head_and_nothing_else_is_guessed() -> None:
    page, other = Page(), Page()
    page.grid(XS, rows_from(100, 4), TEXTS)
    other.grid(XS, rows_from(100, 3), [["a", "b", "c"], ["d", "e", "f"], ["g", "h", "i"]])
    assert [table.header_rows for table in (*tables_of(page), *tables_of(other))] == [1, 0]


def test_words_that_nobody_sees_are_in_no_cell() -> None:
    page = Page()
    page.grid(XS, rows_from(100, 4), TEXTS)
    page.write(70, 128, "secret")
    page.reading.lines[-1].hidden = "covered"
    assert texts_of(tables_of(page)[0]) == TEXTS


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(20, 120), min_size=2, max_size=5),
    st.lists(st.integers(16, 40), min_size=2, max_size=6),
    st.data(),
)
def test_every_cell_of_a_ruled_table_comes_back(widths: list[int], heights: list[int], data: st.DataObject) -> None:
    xs = [30.0]
    for width in widths:
        xs.append(xs[-1] + width)
    ys = [50.0]
    for height in heights:
        ys.append(ys[-1] + height)
    texts = [[data.draw(st.sampled_from(["가", "ab", "1,2", "—"])) for _ in widths] for _ in heights]
    page = Page()
    page.grid(xs, ys, texts)
    [table] = tables_of(page)
    assert texts_of(table) == texts


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(*[st.integers(-500, 60_000)] * 4), max_size=40),
    st.lists(st.tuples(*[st.integers(0, 500)] * 2), max_size=40),
)
def test_any_lines_and_words_give_tables_whose_cells_cover_them_once(
    rules: list[tuple[int, ...]], words: list[tuple[int, int]]
) -> None:
    page = Page()
    for rule in rules:
        x0, y0, x1, y1 = rule
        page.reading.rules += (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
    for x, y in words:
        page.write(x, y, "word 12")
    for table in tables_of(page):
        covered = [
            (row + down, cell.column + across)
            for row, cells in enumerate(table.rows)
            for cell in cells
            for down in range(cell.row_span)
            for across in range(cell.column_span)
        ]
        assert sorted(covered) == [(row, column) for row in range(len(table.rows)) for column in range(table.columns)]
        assert 0 <= table.header_rows < len(table.rows)


def test_a_table_of_10000_cells_is_read() -> None:
    page = Page()
    places = [20.0 + 16 * index for index in range(101)]
    page.grid(places, places, [["x"] * 100] * 100)
    begin = time.process_time()
    [table] = tables_of(page)
    assert (len(table.rows), table.columns) == (100, 100)
    assert time.process_time() - begin < 20


def test_a_page_of_20000_lines_of_words_ends_soon() -> None:
    page = Page()
    for index in range(20_000):
        page.write(10 + index % 7 * 80, 10 + index // 7 * 0.3, f"w{index}")
    begin = time.process_time()
    tables_of(page)
    assert time.process_time() - begin < 20


@pytest.mark.parametrize("kind", ["across", "crossing", "everywhere"])
def test_thousands_of_lines_end_soon(kind: str) -> None:
    page = Page()
    for index in range(2000):
        at = 10 + 0.25 * index
        if kind == "across":
            page.rule(10, at, 500 + index % 7, at)
        elif kind == "crossing":
            page.rule(10, at, 580, at)
            page.rule(at, 10, at, 580)
        else:
            page.rule(index % 50 * 10, at, index % 50 * 10 + 60, at)
            page.write(index % 50 * 10, at, "x 1")
    begin = time.process_time()
    tables_of(page)
    assert time.process_time() - begin < 20
