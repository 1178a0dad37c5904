"""Markdown of blocks that are written in the test."""

import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pdf.worker.boxes import Box
from services.pdf.worker.layout.blocks import Block, Type
from services.pdf.worker.layout.line_ends import LineEnds
from services.pdf.worker.layout.structure import Structure
from services.pdf.worker.markdown.write import write
from services.pdf.worker.tables.table import Cell, Part, Table
from tests.services.pdf.worker.markdown.parsed import outline_of, words_of

BOX = Box(72, 100, 500, 120)


def block(kind: Type, text: str = "", page: int = 1, **more: Any) -> Block:
    return Block(page, kind, more.pop("box", BOX), [], text, **more)


def item(text: str, depth: int = 1, page: int = 1, **more: Any) -> Block:
    return block("list", text, page, depth=depth, marker=more.pop("marker", text.split(maxsplit=1)[0]), **more)


def table(*rows: Sequence[str], header_rows: int = 1, spans: Sequence[tuple[int, int]] = ()) -> Table:
    """With cells at the places of `spans` that cover two columns."""
    cells = [
        [Cell(text, 1, 2 if (at, column) in spans else 1, BOX, column) for column, text in enumerate(row)]
        for at, row in enumerate(rows)
    ]
    return Table(1, BOX, max(len(row) for row in rows) + bool(spans), header_rows, cells)


def written(*blocks: Block, pages: Sequence[int] = (), tables: Any = None, failed: Any = None) -> str:
    """Without the mark of page 1."""
    numbers = pages or sorted({each.page for each in blocks})
    markdown = write(Structure(list(blocks), tables or {}, LineEnds([])), numbers, failed or {})
    assert markdown.startswith("<!-- page 1 -->\n")
    return markdown.removeprefix("<!-- page 1 -->\n").removeprefix("\n")


def test_each_kind_of_block_has_its_form() -> None:
    markdown = written(
        block("header", "Rules of the company"),
        block("heading", "제1장 총칙", level=1, marker="제1장"),
        block("heading", "1. Scope", level=6, marker="1."),
        block("text", "1. is a number, # is a sign."),
        block("caption", "표 1. *값*"),
        block("footnote", "1) As of 2025."),
        block("footer", "- 3 -"),
    )
    assert markdown == (
        "# 제1장 총칙\n\n###### 1. Scope\n\n1\\. is a number, # is a sign.\n\n*표 1. \\*값\\**\n\n> 1\\) As of 2025.\n"
    )


def test_lists_are_nested_and_keep_the_documents_own_numbers() -> None:
    markdown = written(
        block("text", "Before."),
        item("① 첫째"),
        item("1. one", 2),
        item("2. two", 2),
        item("가. 하나", 3),
        item("4. four", 2),
        item("② 둘째"),
        block("text", "Between."),
        item("7) seven"),
        item("8) eight"),
        item("• dot", 2),
        item("□ box", 2),
        item("01. zero"),
    )
    assert markdown == (
        "Before.\n\n- ① 첫째\n  1. one\n  2. two\n     - 가. 하나\n  - 4\\. four\n- ② 둘째\n\nBetween.\n\n"
        "7) seven\n8) eight\n   - dot\n   - □ box\n- 01\\. zero\n"
    )
    assert outline_of(markdown) == [
        ("", "Before."),
        ("li", "① 첫째"),
        ("li/li", "one"),
        ("li/li", "two"),
        ("li/li/li", "가. 하나"),
        ("li/li", "4. four"),
        ("li", "② 둘째"),
        ("", "Between."),
        ("li", "seven"),
        ("li", "eight"),
        ("li/li", "dot"),
        ("li/li", "□ box"),
        ("li", "01. zero"),
    ]


def test_a_list_that_goes_on_over_a_page_is_one_list() -> None:
    markdown = written(item("1. one"), item("a) deeper", 2), item("2. two", page=2), pages=[1, 2])
    assert markdown == "1. one\n   - a) deeper <!-- page 2 -->\n2. two\n"


def test_text_that_goes_on_is_one_paragraph_with_the_page_within_it() -> None:
    markdown = written(block("text", "One sentence of"), block("text", "two pages.", 2, continues=True))
    assert markdown == "One sentence of <!-- page 2 --> two pages.\n"


@pytest.mark.parametrize(
    ("before", "after", "markdown"),
    [
        ("of infor-", "mation that", "of information <!-- page 2 --> that\n"),
        ("of infor-", "mation", "of information <!-- page 2 -->\n"),
        ("회사는 근로자", "에게 알린다", "회사는 근로자에게 <!-- page 2 --> 알린다\n"),
    ],
)
def test_a_word_that_a_pages_end_cuts_is_whole_and_the_page_begins_after_it(
    before: str, after: str, markdown: str
) -> None:
    assert written(block("text", before), block("text", after, 2, continues=True)) == markdown


def test_what_stands_below_text_that_goes_on_stays_on_its_page() -> None:
    markdown = written(
        item("1. one"),
        item("2. two of"),
        block("footnote", "note"),
        block("caption", "Table 1"),
        block("list", "two lines", 2, continues=True),
        block("footnote", "other", 2),
    )
    assert markdown == "> note\n\n*Table 1*\n\n1. one\n2. two of <!-- page 2 --> two lines\n\n> other\n"


def test_notes_in_the_margin_are_not_what_text_goes_on_with() -> None:
    markdown = written(
        block("text", "The body goes"), block("text", "A note", is_note=True), block("text", "on.", continues=True)
    )
    assert markdown == "The body goes on.\n\nA note\n"


def test_text_that_goes_on_with_what_was_not_asked_for_begins_the_page() -> None:
    markdown = write(Structure([block("text", "on.", 2, continues=True)], {}, LineEnds([])), [2], {})
    assert markdown == "<!-- page 2 -->\n\non.\n"


def test_a_page_without_text_and_one_that_was_not_read_have_their_marks() -> None:
    markdown = written(block("text", "One."), block("text", "Four.", 4), pages=[1, 2, 4], failed={3: "BROKEN"})
    assert markdown == "One.\n\n<!-- page 2 -->\n\n<!-- page 3 not read: BROKEN -->\n\n<!-- page 4 -->\n\nFour.\n"


def test_a_table_is_one_of_githubs() -> None:
    tables = {1: [table(["Item", "Price"], ["a|b", "1,200\nwon"], ["", "1. one\n2. two"])]}
    markdown = written(block("table", "…", table=0), tables=tables)
    assert markdown == "| Item | Price |\n|---|---|\n| a\\|b | 1,200 won |\n|  | 1. one<br>2. two |\n"


def test_a_table_without_a_head_gets_an_empty_one() -> None:
    markdown = written(block("table", table=0), tables={1: [table(["a", "b"], ["c", "d"], header_rows=0)]})
    assert markdown == "|  |  |\n|---|---|\n| a | b |\n| c | d |\n"


@pytest.mark.parametrize("more", [{"spans": [(1, 0)]}, {"header_rows": 2}])
def test_a_table_that_githubs_cannot_say_is_html(more: Any) -> None:
    markdown = written(
        block("table", table=0), block("text", "After."), tables={1: [table(["<b>", "c"], ["d"], **more)]}
    )
    html, after = markdown.split("\n\n")
    assert html.startswith("<table>\n<tr><th")
    assert html.endswith("\n</table>")
    assert "&lt;b&gt;" in html
    assert after == "After.\n"


def test_a_table_that_goes_on_over_a_page_is_written_once_where_it_begins() -> None:
    one = table(["a", "b"], ["c", "d"])
    one.continues.append(Part(2, BOX, 1))
    parts = block("table", table=0), block("table", page=2, table=0)
    markdown = written(parts[0], parts[1], block("text", "After.", 2), tables={1: [one], 2: [one]})
    assert markdown == "| a | b |\n|---|---|\n| c | d |\n\n<!-- page 2 -->\n\nAfter.\n"


def test_neighbouring_pictures_are_told_once_and_small_ones_not_at_all() -> None:
    large, small = Box(0, 0, 40, 40), Box(0, 0, 400, 30)
    pictures = [block("image", box=box) for box in (small, large, large)]
    assert written(*pictures, block("caption", "Figure 1")) == "<!-- picture -->\n\n*Figure 1*\n"


def test_a_program_keeps_its_lines() -> None:
    markdown = written(block("text", "if x:\n    y = `1`\n```", font="Courier"))
    assert markdown == "````\nif x:\n    y = `1`\n```\n````\n"


def test_a_program_cannot_pass_for_the_mark_of_a_page() -> None:
    markdown = written(block("text", "a\n<!-- page 9 -->\n\n# b", font="Courier"))
    assert "<!-- page" not in markdown
    assert outline_of(markdown) == [("html_block", "<pre>\na\n&lt;!-- page 9 --&gt;\n\n# b\n</pre>")]


def test_lines_without_places_are_text() -> None:
    assert written(block("text", "# one\ntwo")) == "\\# one two\n"


WORDS = st.sampled_from(
    [
        *"*_#->|`~+=",
        "1.",
        "2)",
        "①",
        "가.",
        "•",
        "word",
        "제1조(목적)",
        "<b>",
        "&lt;",
        "[a](b)",
        "---",
        "<!-- page 2 -->",
    ]
)
TEXTS = st.lists(WORDS, min_size=1, max_size=5).map(" ".join)
KINDS = st.sampled_from(["heading", "text", "list", "caption", "footnote", "text", "list", "list"])
BLOCKS = st.lists(st.tuples(KINDS, TEXTS, st.integers(1, 4), st.booleans(), st.sampled_from([0, 0, 0, 1])), max_size=12)


@given(BLOCKS)
def test_what_is_written_is_read_again_with_the_same_words_in_the_same_order(drawn: Any) -> None:
    blocks: list[Block] = []
    page = 1
    for kind, text, depth, continues, turns in drawn:
        page += turns
        goes_on = continues and bool(blocks) and blocks[-1].type == kind and kind in {"text", "list"}
        marker = "•" if kind == "list" and not goes_on else ""
        depths = {"level": depth} if kind == "heading" else {"depth": depth} if kind == "list" else {}
        blocks.append(block(kind, f"{marker} {text}".strip(), page, marker=marker, continues=goes_on, **depths))
    markdown = written(*blocks, pages=range(1, page + 1))
    expected = [word for each in blocks for word in each.text.removeprefix(each.marker).split()]
    assert "".join(words_of(markdown)) == "".join(expected)
    headings = [(f"h{each.level}", each.text) for each in blocks if each.type == "heading"]
    assert [(tag, text) for tag, text in outline_of(markdown) if tag.startswith("h") and "_" not in tag] == headings


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("1.1 Scope . . . . . . . . . 12", "1.1 Scope … 12"),
        ("제1장 총칙·······3", "제1장 총칙 … 3"),
        ("Preface ......... iv", "Preface … iv"),
        ("Wait... 3", "Wait... 3"),
        ("Sign here: ..........", "Sign here: .........."),
        ("..........", ".........."),
        ("...... 3 items", "...... 3 items"),
    ],
)
def test_the_dots_of_a_table_of_contents_are_one(text: str, markdown: str) -> None:
    assert written(block("text", text)) == f"{markdown}\n"


def test_text_may_go_on_over_columns_and_several_pages() -> None:
    markdown = written(
        block("text", "One"),
        block("footnote", "a note"),
        block("text", "two", continues=True),
        block("text", "three", 2, continues=True),
        block("text", "four", 3, continues=True),
        block("footnote", "another", 3),
    )
    assert markdown == "> a note\n\nOne two <!-- page 2 --> three <!-- page 3 --> four\n\n> another\n"


def test_nothing_goes_to_another_page_so_that_text_can_go_on() -> None:
    markdown = written(
        block("text", "One"),
        block("text", "two", 2, continues=True),
        block("footnote", "a note", 2),
        block("text", "three", 3, continues=True),
    )
    assert markdown == "One <!-- page 2 --> two\n\n> a note\n\n<!-- page 3 -->\n\nthree\n"


def test_notes_do_not_go_before_items_of_an_earlier_page() -> None:
    markdown = written(
        item("1. one"),
        block("list", "and more", 2, continues=True),
        item("2. two", page=2),
        item("3. three", page=2),
        block("footnote", "a note", 2),
        block("list", "and more", 3, continues=True),
    )
    assert markdown == ("1. one <!-- page 2 --> and more\n\n> a note\n\n2. two\n3. three <!-- page 3 --> and more\n")


@given(BLOCKS)
def test_every_word_stays_on_its_page(drawn: Any) -> None:
    blocks: list[Block] = []
    page = 1
    for number, (kind, _, depth, continues, turns) in enumerate(drawn):
        page += turns
        body = [each.type for each in blocks if each.type in {"heading", "text", "list"}]
        goes_on = continues and bool(body) and body[-1] == kind and kind in {"text", "list"}
        marker = "•" if kind == "list" and not goes_on else ""
        text = f"{marker} w{number}on{page} v{number}on{page}".strip()
        blocks.append(block(kind, text, page, marker=marker, continues=goes_on, level=1, depth=depth))
    markdown = write(Structure(blocks, {}, LineEnds([])), range(1, page + 1), {})
    at = 0
    for said in re.findall(r"<!-- page (\d+) -->|[wv]\d+on(\d+)", markdown):
        at = int(said[0]) if said[0] else at
        assert not said[1] or int(said[1]) == at
    assert markdown.count("on") == 2 * len(blocks)


def test_a_table_of_ten_thousand_cells_has_a_line_for_each_row() -> None:
    markdown = written(block("table", table=0), tables={1: [table(*[["a|b\nc", *["x"] * 99]] * 100)]})
    assert markdown.count("\n") == 101
    assert markdown.count("| a\\|b c |") == 100
