import csv
import html.parser
import io

from services.pdf.worker.boxes import Box
from services.pdf.worker.tables.formats import to_csv, to_html
from services.pdf.worker.tables.table import Cell, Table

BOX = Box(0, 0, 10, 10)
TABLE = Table(
    1,
    BOX,
    3,
    1,
    [
        [Cell("Over <two>", 1, 2, BOX, 0), Cell("Amount, won", 1, 1, BOX, 2)],
        [Cell("down", 2, 1, BOX, 0), Cell('says "yes"', 1, 1, BOX, 1), Cell("738,117", 1, 1, BOX, 2)],
        [Cell("two\nlines", 1, 1, BOX, 1), Cell("", 1, 1, BOX, 2)],
    ],
)


def test_csv_has_a_field_for_each_place_of_the_grid() -> None:
    assert list(csv.reader(io.StringIO(to_csv(TABLE), newline=""))) == [
        ["Over <two>", "", "Amount, won"],
        ["down", 'says "yes"', "738,117"],
        ["", "two\nlines", ""],
    ]
    assert to_csv(TABLE).endswith("\r\n")


def test_html_has_the_spans_and_the_head_and_nothing_of_a_cell_is_markup() -> None:
    assert to_html(TABLE) == (
        '<table><thead><tr><th colspan="2">Over &lt;two&gt;</th><th>Amount, won</th></tr></thead>'
        '<tbody><tr><td rowspan="2">down</td><td>says &quot;yes&quot;</td><td>738,117</td></tr>'
        "<tr><td>two<br>lines</td><td></td></tr></tbody></table>"
    )


def test_a_cell_reads_back_from_html_as_it_was() -> None:
    found: list[str] = []

    class Reader(html.parser.HTMLParser):
        def handle_data(self, data: str) -> None:
            found.append(data)

    Reader().feed(to_html(TABLE))
    assert found == ["Over <two>", "Amount, won", "down", 'says "yes"', "738,117", "two", "lines"]
