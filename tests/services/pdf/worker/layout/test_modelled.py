"""The blocks in the boxes that the layout model found. Which it finds is told by `processes/test_model_workers.py`."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from services.pdf.worker.layout.blocks import Block
from services.pdf.worker.layout.modelled import blocks_in
from services.pdf.worker.words import Reading
from tests.services.pdf.written import WIDTH, Written, page, paragraph, prose

Boxes = Sequence[tuple[float, float, float, float, str]]


def blocks_on(reading: Reading, boxes: Boxes) -> list[Block]:
    return blocks_in({1: reading}, {1: boxes})


def kinds(blocks: Sequence[Block]) -> list[tuple[str, str]]:
    return [(block.type, block.text) for block in blocks]


def test_kinds_and_order_are_the_models_and_words_are_the_pages() -> None:
    reading = page(*paragraph(["A caption below", "and its end"], y=300), Written("Title", y=80, size=18))
    title, caption = blocks_on(reading, [(70, 70, 300, 100, "heading"), (70, 290, 300, 330, "caption")])
    assert (title.type, title.text, title.level, title.size) == ("heading", "Title", 1, 18)
    assert (caption.type, caption.text) == ("caption", "A caption below and its end")
    assert [len(block.runs) for block in (title, caption)] == [1, 2]


def test_words_of_two_boxes_on_one_line_are_told_apart() -> None:
    left, right = Written("Left of it", 72, 100), Written("right of it", 310, 100)
    blocks = blocks_on(page(left, right), [(300, 90, 500, 115, "text"), (60, 90, 200, 115, "text")])
    assert kinds(blocks) == [("text", "right of it"), ("text", "Left of it")]


def test_a_small_box_within_a_large_one_has_its_words() -> None:
    reading = page(Written("Within", 100, 120), Written("Around", 100, 200))
    blocks = blocks_on(reading, [(50, 50, 550, 700, "table"), (90, 110, 200, 140, "caption")])
    assert kinds(blocks) == [("table", "Around"), ("caption", "Within")]


def test_each_item_of_a_list_is_a_block_with_marker_and_depth() -> None:
    lines = [
        Written("1. The first item of the list, whose text is long enough for a line", 72, 100),
        Written("and for another one", 84, 113),
        Written("가. A deeper item", 96, 126),
        Written("2. The second item", 72, 139),
    ]
    blocks = blocks_on(page(*lines), [(60, 90, 500, 160, "list")])
    assert [(block.type, block.marker, block.depth) for block in blocks] == [
        ("list", "1.", 1),
        ("list", "가.", 2),
        ("list", "2.", 1),
    ]
    assert blocks[0].text.endswith("line and for another one")


def test_headings_have_the_levels_that_rules_give_them() -> None:
    lines = [Written("제1장 총칙", 72, 100, 14), Written("제1조(목적)", 72, 140), Written("제2장 보칙", 72, 200, 14)]
    blocks = blocks_on(page(*lines), [(60, y, 400, y + 20, "heading") for y in (95, 135, 195)])
    assert [(block.level, block.marker) for block in blocks] == [(1, "제1장"), (2, "제1조"), (1, "제2장")]


def test_the_rows_of_a_table_stand_below_each_other_and_a_picture_has_its_labels() -> None:
    cells = [Written(text, x, y) for text, x, y in (("d", 300, 130), ("a", 80, 100), ("c", 80, 130), ("b", 300, 100))]
    reading = page(*cells, Written("Label", 100, 400))
    table, picture, empty = blocks_on(
        reading, [(70, 90, 400, 150, "table"), (70, 300, 400, 500, "image"), (70, 550, 400, 600, "image")]
    )
    assert (table.text, picture.text, empty.text) == ("a b\nc d", "Label", "")
    assert (picture.box, empty.runs) == ((70, 300, 400, 500), [])


def test_what_the_model_overlooked_stands_before_what_is_below_it() -> None:
    reading = page(Written("Overlooked", 72, 100), Written("Found", 72, 200), Written("At the end", 72, 300))
    blocks = blocks_on(reading, [(60, 190, 400, 220, "text")])
    assert [block.text for block in blocks] == ["Overlooked", "Found", "At the end"]
    assert blocks[0].confidence == 0.5 < blocks[1].confidence


def test_running_lines_are_at_both_ends_of_a_page() -> None:
    reading = page(Written("Body", y=400), Written("Head", y=30), Written("Foot", y=800))
    boxes = [(60, 790, 400, 820, "footer"), (60, 390, 400, 420, "text"), (60, 20, 400, 50, "header")]
    assert kinds(blocks_on(reading, boxes)) == [("header", "Head"), ("text", "Body"), ("footer", "Foot")]


def test_text_goes_on_over_the_end_of_a_page() -> None:
    first = page(*(Written(line.text.rstrip("."), line.x, line.y, width=420) for line in prose(4)))
    blocks = blocks_in({1: first, 2: page(*prose(4))}, {at: [(60, 90, 540, 160, "text")] for at in (1, 2)})
    assert [block.continues for block in blocks] == [False, True]


def test_a_box_without_words_is_no_block_unless_it_is_a_picture_or_a_table() -> None:
    hidden = Written("Hidden", y=200, hidden="tiny")
    assert blocks_on(page(hidden), [(60, 190, 400, 220, "text"), (60, 20, 400, 50, "heading")]) == []


def test_what_no_kind_is_called_is_text() -> None:
    assert kinds(blocks_on(page(Written("Words")), [(60, 90, 400, 120, "poem")])) == [("text", "Words")]


places = st.floats(0, WIDTH)
boxes = st.tuples(
    places, places, places, places, st.sampled_from(["text", "list", "table", "image", "header", "heading"])
)
lines = st.builds(
    Written,
    st.lists(st.sampled_from(["word", "1.", "①", "다음", "가."]), min_size=1, max_size=5).map(" ".join),
    st.floats(0, 500),
    st.floats(0, 800),
    direction=st.sampled_from([(1.0, 0.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0)]),
)


@settings(deadline=None)
@given(st.lists(lines, max_size=12), st.lists(boxes, max_size=8))
def test_no_word_is_lost_and_none_is_twice(written: list[Written], found: Boxes) -> None:
    reading = page(*written)
    runs = [
        (run.line, at) for block in blocks_on(reading, found) for run in block.runs for at in range(run.start, run.stop)
    ]
    words = [(index, at) for index, line in enumerate(reading.lines) for at in range(len(line.text.split()))]
    assert sorted(runs) == sorted(words)
