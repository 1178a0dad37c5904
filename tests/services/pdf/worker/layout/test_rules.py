from collections.abc import Sequence
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.pdf.worker.boxes import Box
from services.pdf.worker.layout.blocks import Block
from services.pdf.worker.layout.pieces import MOST_PIECES
from services.pdf.worker.layout.rules import blocks_of
from services.pdf.worker.words import Line, Reading
from tests.services.pdf.written import BODY, HEIGHT, Written, page, paragraph, prose


def kinds(blocks: Sequence[Block]) -> list[tuple[str, str]]:
    return [(block.type, block.text) for block in blocks]


def starts(blocks: Sequence[Block], letters: int = 12) -> list[str]:
    return [block.text[:letters] for block in blocks]


def test_a_paragraph_is_its_lines_joined() -> None:
    (block,) = blocks_of({1: page(*prose(4))})
    assert block.type == "text"
    assert len(block.runs) == len(block.lines) == 4
    assert "\n" not in block.text
    assert block.box.x0 == 72
    assert block.size == BODY


@pytest.mark.parametrize("order", [1, -1])
def test_two_columns_are_read_one_after_the_other_whatever_was_drawn_first(order: int) -> None:
    left, right = prose(12, 60, 120, 44), prose(12, 310, 120, 44, seed=5)
    title = Written("A title over both of the columns of the page", 150, 70, 20, bold=True)
    both = [line for pair in zip(left, right, strict=True) for line in pair]
    blocks = blocks_of({1: page(*[title, *both][::order])})
    assert [block.type for block in blocks] == ["heading", "text", "text"]
    assert [block.box.x0 for block in blocks[1:]] == [60, 310]


def test_three_columns_are_read_from_left_to_right() -> None:
    columns = [prose(10, x, 120, 30, seed=at) for at, x in enumerate((40, 215, 390))]
    lines = chain.from_iterable(zip(*columns, strict=True))
    assert [block.box.x0 for block in blocks_of({1: page(*lines)})] == [40, 215, 390]


def test_what_crosses_two_columns_ends_them() -> None:
    upper, lower = ([prose(6, x, y, 44) for x in (60, 310)] for y in (100, 300))
    middle = Written("A heading over the whole width of the page, large", 60, 230, 16, bold=True)
    blocks = blocks_of({1: page(*chain(*upper, [middle], *lower))})
    assert [(round(block.box.x0), round(block.box.y0)) for block in blocks] == [
        (60, 100),
        (310, 100),
        (60, 230),
        (60, 300),
        (310, 300),
    ]


def test_notes_in_the_margin_come_after_the_text_beside_them() -> None:
    notes = [Written("See also the law", 30, 150, 8), Written("on working hours", 30, 160, 8)]
    notes += [Written("And this one too", 30, 280, 8)]
    blocks = blocks_of({1: page(*notes, *prose(24, 150, 100, 60))})
    assert starts(blocks[-2:], 8) == ["See also", "And this"]


def test_marks_that_stand_apart_belong_to_their_items() -> None:
    items = [Written(f"leave of kind {name}, as the law has it", 100, 200 + 13 * at) for at, name in enumerate("abc")]
    marks = [Written("•", 84, 200 + 13 * at) for at in range(3)]
    blocks = blocks_of({1: page(*prose(4), *items, *marks)})
    assert [(block.type, block.marker, block.depth) for block in blocks[1:]] == [("list", "•", 1)] * 3
    assert blocks[1].text == "• leave of kind a, as the law has it"


def test_items_of_another_kind_stand_deeper() -> None:
    texts = [
        "① 회사는 다음을 정한다",
        "1. 휴가의 종류",
        "가. 연차휴가",
        "나. 병가",
        "2. 휴가의 기간",
        "② 회사는 이를 알린다",
    ]
    lines = [Written(text, 72, 100 + 20 * at) for at, text in enumerate(texts)]
    blocks = blocks_of({1: page(*lines)})
    assert [block.type for block in blocks] == ["list"] * 6
    assert [block.depth for block in blocks] == [1, 2, 3, 3, 2, 1]


def test_the_divisions_of_a_policy_are_headings_of_levels_that_nest() -> None:
    lines = [
        Written("취업규칙", 72, 60, 20, bold=True),
        Written("제1장 총칙", 72, 100, bold=True),
        Written("제1조(목적)", 72, 130, bold=True),
        *prose(3, 72, 150),
        Written("제2조(정의)", 72, 210, bold=True),
        *prose(3, 72, 230),
    ]
    headings = [block for block in blocks_of({1: page(*lines)}) if block.type == "heading"]
    assert [(block.text, block.level) for block in headings] == [
        ("취업규칙", 1),
        ("제1장 총칙", 2),
        ("제1조(목적)", 3),
        ("제2조(정의)", 3),
    ]


def test_a_reference_at_the_start_of_a_line_begins_no_paragraph() -> None:
    texts = ["이 규정에서 정하지 아니한 사항은 관계 법령과", "제3조에 따라 회사가 따로 정하는 바에 의한다."]
    blocks = blocks_of({1: page(*paragraph(texts))})
    assert len(blocks) == 1


def test_a_line_of_contents_is_neither_heading_nor_item() -> None:
    lines = [
        Written(f"{at}. Leave of kind {at} {'.' * 40} {at + 2}", 72, 100 + 18 * at, bold=True) for at in range(1, 6)
    ]
    assert {block.type for block in blocks_of({1: page(*lines, *prose(9, 72, 300))})} == {"text"}


def test_small_print_with_a_mark_at_the_foot_is_a_footnote() -> None:
    note = [Written("1) The law of 2025 has more to say about it", 72, 700, 8)]
    blocks = blocks_of({1: page(*prose(30), *note)})
    assert [block.type for block in blocks] == ["text", "footnote"]


def test_a_caption_is_known_by_its_number_and_a_sentence_about_it_is_not() -> None:
    lines = [
        *prose(5),
        Written("Table 3. Days of leave by years of service", 150, 200, 8.5),
        Written("Table 3 shows how many days of leave each of the employees has when they", y=240, width=420),
        Written("have served for ten.", y=253),
    ]
    blocks = blocks_of({1: page(*lines)})
    assert [block.type for block in blocks] == ["text", "caption", "text"]


def test_a_table_is_one_block_where_it_stands() -> None:
    cells = [
        Written(f"cell {row}{column}", 80 + 120 * column, 200 + 18 * row) for row in range(4) for column in range(3)
    ]
    lines = [*prose(5), *cells, *prose(5, 72, 300)]
    blocks = blocks_of({1: page(*lines)}, {1: [Box(70, 190, 500, 280)]})
    assert [block.type for block in blocks] == ["text", "table", "text"]
    assert blocks[1].table == 0
    assert blocks[1].text.split("\n")[0] == "cell 00 cell 01 cell 02"


def test_a_picture_is_a_block_without_words_where_it_stands() -> None:
    blocks = blocks_of({1: page(*prose(5), *prose(5, 72, 400))}, pictures={1: [Box(72, 200, 300, 350)]})
    assert [block.type for block in blocks] == ["text", "image", "text"]
    assert not blocks[1].runs


def running(number: str, title: str, at: int) -> Reading:
    head = Written(title, 72, 40, 8)
    foot = Written(number, 290, 800, 8)
    return page(head, *prose(20 + at, 72, 100, seed=at), foot)


@pytest.mark.parametrize(
    "numbers", ["1 2 3 4", "i ii iii iv", "- 7 - | - 8 - | - 9 - | - 10 -", "1쪽 2쪽 3쪽 4쪽", "1/9 2/9 3/9 4/9"]
)
def test_heads_and_page_numbers_are_no_part_of_the_body(numbers: str) -> None:
    said = numbers.split(" | ") if "|" in numbers else numbers.split()
    heads = ["취업규칙 v1.3", "제2장 휴가"] * 2  # left and right pages
    pages = {at + 1: running(number, heads[at], at) for at, number in enumerate(said)}
    blocks = blocks_of(pages)
    for at, number in enumerate(said):
        of_page = [block for block in blocks if block.page == at + 1]
        assert [block.type for block in of_page] == ["header", "text", "footer"]
        assert of_page[-1].text == number


def test_a_title_that_each_slide_has_is_no_running_line() -> None:
    slides = {
        at: page(Written(f"Topic number {'abcde'[at]} of today", 72, 40, 24), *prose(6, 72, 120, seed=at))
        for at in range(1, 5)
    }
    assert [block.type for block in blocks_of(slides)] == ["heading", "text"] * 4


def test_text_that_goes_on_over_a_page_says_so() -> None:
    first, second = prose(20, y=420)[:-1], prose(4, seed=2)
    blocks = blocks_of({1: page(*first), 2: page(*second)})
    assert [block.continues for block in blocks] == [False, True]
    apart = blocks_of({1: page(*first), 3: page(*second)})
    assert not any(block.continues for block in apart)


def test_a_page_of_turned_text_is_read_as_the_text_runs() -> None:
    upward = [
        Written(line.text, 100 + 13 * at, 700, direction=(0, -1), width=line.width) for at, line in enumerate(prose(4))
    ]
    (block,) = blocks_of({1: page(*upward)})
    assert block.text.startswith("every employee")
    assert block.box.x0 == 100


def test_vertical_writing_is_read_from_the_right() -> None:
    lines = [
        Written("둘째 줄이 이어집니다", 481, 150, direction=(0, 1)),
        Written("세로쓰기 글의 첫째 줄", 494, 150, direction=(0, 1)),
    ]
    (block,) = blocks_of({1: page(*lines)})
    assert block.text.startswith("세로쓰기")


def test_lines_of_arabic_begin_at_the_right() -> None:
    lines = [Written("مرحبا بالعالم", 300, 100), Written("وهذا نص آخر", 310, 113)]
    (block,) = blocks_of({1: page(*lines)})
    assert block.text == "مرحبا بالعالم وهذا نص آخر"


def test_what_is_hidden_is_in_no_block() -> None:
    blocks = blocks_of({1: page(*prose(3), Written("secret", 72, 300, hidden="white"))})
    assert "secret" not in " ".join(block.text for block in blocks)


def test_words_without_places_are_told_with_doubt() -> None:
    reading = Reading(595, 842, 0, [], [Line("lost words", 0), Line("and more", 0)])
    (block,) = blocks_of({1: reading})
    assert block.text == "lost words\nand more"
    assert block.confidence < 0.5


def test_nothing_at_all_has_no_blocks() -> None:
    assert blocks_of({}) == []
    assert blocks_of({1: page()}) == []


def test_a_page_of_more_pieces_than_anyone_reads_keeps_all_its_words() -> None:
    lines = [Written("x", 10 + at % 100 * 5.5, 10 + at // 100 * 2.0, 1.5) for at in range(MOST_PIECES + 500)]
    blocks = blocks_of({1: page(*lines)})
    assert sum(len(block.text.split()) for block in blocks) == MOST_PIECES + 500


def words() -> st.SearchStrategy[Written]:
    text = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=12)
    place = st.floats(-100, 1200)
    size = st.floats(0, 60)
    ways = st.sampled_from([(1.0, 0.0), (0.0, 1.0), (0.0, -1.0), (-1.0, 0.0), (0.7071, 0.7071)])
    return st.builds(Written, text, place, place, size, st.booleans(), direction=ways)


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(st.integers(1, 4), st.lists(words(), max_size=30), max_size=3))
def test_every_word_stands_in_just_one_block(pages: dict[int, list[Written]]) -> None:
    readings = {number: page(*lines, height=HEIGHT) for number, lines in pages.items()}
    blocks = blocks_of(readings)
    seen = [(block.page, run.line, at) for block in blocks for run in block.runs for at in range(run.start, run.stop)]
    wanted = [
        (number, index, at)
        for number, reading in readings.items()
        for index, line in enumerate(reading.lines)
        for at in range(len(line.text.split()))
    ]
    assert sorted(seen) == sorted(wanted)
    assert all(0 <= block.confidence <= 1 and 0 <= block.level <= 6 for block in blocks)


def test_on_a_scan_lines_of_about_one_height_are_one_text_and_short_numbered_lines_over_it_are_headings() -> None:
    lines = prose(6, 72, 130)
    reading = page(Written("1. Annual leave", 72, 100), *lines)
    for at, line in enumerate(reading.lines):
        line.styles, line.source = [], "ocr"
        line.boxes[3::4] = [edge + at % 3 * 120 for edge in line.boxes[3::4]]  # which letters a line has
    assert [(block.type, len(block.lines)) for block in blocks_of({1: reading})] == [("heading", 1), ("text", 6)]
