from services.pdf.worker.chunks.passages import DocumentText, passage_of
from services.pdf.worker.layout.blocks import Block
from services.pdf.worker.layout.rules import blocks_of
from tests.services.pdf.written import Written, page, prose


def test_the_documents_text_is_that_of_its_pages_one_after_another() -> None:
    readings = {2: page(*prose(3)), 5: page(Written("가나다 라"), Written("unseen", y=200, hidden="covered"))}
    document = DocumentText(readings)
    assert document.starts == {2: 0, 5: len(readings[2].text)}


def test_words_stand_where_the_documents_text_has_them() -> None:
    readings = {1: page(*prose(3)), 2: page(*prose(4, seed=3))}
    text = "".join(reading.text for reading in readings.values())
    document = DocumentText(readings)
    for block in blocks_of(readings):
        passage = passage_of(block, document)
        assert passage.text == block.text
        for mark in passage.marks:
            word = passage.text[mark.start : mark.start + mark.length]
            assert word == text[mark.offset : mark.offset + mark.length]


def test_a_hyphen_that_a_lines_end_made_is_no_part_of_the_word() -> None:
    first = Written("every employee may take annual leave in the year for which it is gran-", width=420)
    readings = {1: page(first, Written("ted and no later than that.", y=113))}
    (block,) = blocks_of(readings)
    passage = passage_of(block, DocumentText(readings))
    assert "granted" in passage.text
    words = [readings[1].text[mark.offset : mark.offset + mark.length] for mark in passage.marks]
    assert words[words.index("gran") + 1] == "ted"


def test_a_block_whose_text_is_not_its_words_in_order_is_its_words() -> None:
    readings = {1: page(Written("one two three"))}
    (block,) = blocks_of(readings)
    other = Block(1, "text", block.box, block.runs, "three two one")
    passage = passage_of(other, DocumentText(readings))
    assert passage.text == "one two three"
    assert [mark.offset for mark in passage.marks] == [0, 4, 8]
