"""PDF_MARKDOWN from a PDF, or its readings, to its answer."""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from google.protobuf import json_format

from papermesh.pdf.v1 import markdown_pb2 as pb
from services.base.errors import PapermeshError
from services.pdf.worker import failures
from services.pdf.worker.documents import attempt
from services.pdf.worker.layout.structure import structure_of
from services.pdf.worker.markdown.view import describe
from services.pdf.worker.mupdf import pymupdf
from services.pdf.worker.reading import read_page_words
from services.pdf.worker.readings import Readings
from services.pdf.worker.words import Line, Reading
from tests.services.pdf.support import open_path
from tests.services.pdf.worker.markdown.parsed import outline_of, words_of
from tests.services.pdf.worker.tables.drawn import Page
from tests.services.pdf.written import Written, page, prose

CASES = sorted((Path(__file__).parents[2] / "cases").glob("*.pdf"))


def answer_of(readings: Mapping[int, Reading], failed: Any = (), page_count: int = 9) -> Any:
    return orjson.loads(describe(Readings(page_count, list(readings), readings, failed), {}))


def test_an_answer_has_all_fields_in_the_order_of_the_proto() -> None:
    scanned = page(Written("Recognised text.", 72, 60))
    scanned.ocr, scanned.ocr_reason, scanned.confidence = True, "no_text", 0.87654
    answer = answer_of(
        {2: page(Written("제1장 총칙", 72, 60, 16, bold=True), *prose(3)), 4: scanned}, [failures.scan(3)]
    )
    json_format.ParseDict(answer, pb.ToMarkdownResponse())
    assert list(answer) == [field.name for field in pb.ToMarkdownResponse.DESCRIPTOR.fields if field.name != "json"]
    assert answer["doubts"] == [{"page": 4, "ocr": True, "confidence": 0.877, "ocr_reason": "no_text"}]
    assert list(answer["doubts"][0]) == [field.name for field in pb.PageDoubt.DESCRIPTOR.fields]
    assert [failure["page"] for failure in answer["failures"]] == [3]
    assert answer["pages"] == 9
    assert answer["markdown"].startswith("<!-- page 2 -->\n\n# 제1장 총칙\n\nevery employee")
    assert answer["markdown"].endswith("\n\n<!-- page 3 not read: SCAN -->\n\n<!-- page 4 -->\n\nRecognised text.\n")


def test_a_page_on_which_tables_may_be_missing_is_told_and_written() -> None:
    crowded = Page()
    crowded.reading.is_crowded = True
    crowded.write(72, 100, "Some text.")
    answer = answer_of({1: crowded.reading})
    assert [(failure["page"], failure["reason"]) for failure in answer["failures"]] == [(1, "TOO_LARGE")]
    assert answer["markdown"] == "<!-- page 1 -->\n\nSome text.\n"


def test_running_lines_and_hidden_text_are_left_out() -> None:
    sheets = {
        number: page(
            Written("Rules of the company", 72, 30, 8),
            *prose(6, seed=number),
            Written("A secret", 72, 400, hidden="same_color"),
            Written(f"- {number} -", 290, 800, 8),
        )
        for number in range(1, 5)
    }
    markdown = answer_of(sheets)["markdown"]
    assert "Rules of the company" not in markdown
    assert "secret" not in markdown
    assert not re.search(r"- \d -", re.sub("<!--.*?-->", "", markdown))


def test_a_table_of_a_page_has_its_place_among_its_text() -> None:
    drawn = Page()
    drawn.prose(60, 4)
    drawn.grid([100, 250, 400], [200, 224, 248, 272], [["Item", "Price"], ["Paper", "738,117"], ["Pens", "1,200"]])
    drawn.prose(400, 4)
    outline = outline_of(answer_of({1: drawn.reading})["markdown"])
    kinds = [kind for kind, _ in outline]
    assert [text for kind, text in outline if kind in {"thead/th", "tbody/td"} and text] == [
        *("Item", "Price", "Paper", "738,117", "Pens", "1,200")
    ]
    assert kinds[1] == kinds[-1] == "fence"  # the page's letters all have one width


def test_a_program_is_set_in_as_it_stands() -> None:
    lines = ["for name in names:", "    if name:", "        print(name)", "    count += 1", "return count of the names"]
    indents = [len(line) - len(line.lstrip()) for line in lines]
    program = [
        Written(line.lstrip(), 72 + 5 * indent, 300 + 12 * at, font="Courier")
        for at, (line, indent) in enumerate(zip(lines, indents, strict=True))
    ]
    markdown = answer_of({1: page(*prose(6), *program)})["markdown"]
    assert "\n".join(lines) in markdown
    assert [kind for kind, _ in outline_of(markdown)][-1] == "fence"


def test_a_document_is_written_as_markdown(tmp_path: Path) -> None:
    path = tmp_path / "leave.pdf"
    with pymupdf.open() as document:
        sheet = document.new_page()
        sheet.insert_text((72, 72), "1. Leave & <pay>", fontsize=20)
        sheet.insert_textbox((72, 100, 500, 300), "Every employee may take *annual* leave. " * 9, fontsize=10)
        document.save(path)
    opened = open_path(path)
    answer = answer_of({1: read_page_words(opened, 1)}, page_count=1)
    (_, mark), (tag, heading), (_, text) = outline_of(answer["markdown"])
    assert (mark, tag, heading) == ("<!-- page 1 -->", "h1", "1. Leave & <pay>")
    assert text == ("Every employee may take *annual* leave. " * 9).strip()
    assert answer["doubts"] == answer["failures"] == []


@pytest.mark.parametrize(
    "text", ["(" * 20_000, "* " * 10_000, "[" * 20_000, "<!-- page 1 -->" * 2_000, "`" * 20_001, "~" * 9_999 + "a~"]
)
def test_a_page_made_to_be_markdown_is_text(text: str) -> None:
    reading = Reading(595, 842, 0, [], [Line(text.strip(), 0)])
    markdown = answer_of({1: reading})["markdown"]
    assert len(markdown) < 3 * len(text)
    assert len(re.findall("<!-- page", markdown)) == 1


def test_a_page_of_seventy_thousand_words_is_written_whole() -> None:
    drawn = Page()
    for row in range(7_000):
        drawn.write(20, 0.08 * row, "1. a *b* | c # d _e_ <f> g 가나")
    markdown = answer_of({1: drawn.reading})["markdown"]
    assert len("".join(words_of_text(markdown))) == len("".join(drawn.reading.text.split()))


def words_of_text(markdown: str) -> list[str]:
    """Without parsing: backslashes, bullets and marks taken away."""
    text = re.sub(r"<!--.*?-->|^ *- |\\(?=[!-/:-@\[-`{-~])", "", markdown, flags=re.MULTILINE)
    return text.split()


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_case_has_the_words_of_its_layout(path: Path) -> None:
    has_the_words_of_its_layout(path)


@pytest.mark.parametrize("folder", ["mixed", "hostile"])
def test_a_document_has_the_words_of_its_layout(corpus: Path, folder: str) -> None:
    for path in sorted((corpus / folder).glob("*.pdf")):
        has_the_words_of_its_layout(path)


def has_the_words_of_its_layout(path: Path) -> None:
    try:
        document = open_path(path)
    except PapermeshError:  # files that nobody can open are other tests'
        return
    pages = range(1, min(document.page_count, 3) + 1)
    found = {page: attempt(read_page_words, document, page, otherwise=None) for page in pages}
    readings = {page: reading for page, reading in found.items() if reading is not None}
    if any(each.type == "table" for each in structure_of(readings).blocks):  # a repeated head is written once
        return
    wanted: Counter[str] = Counter()
    for each in structure_of(readings).blocks:
        if each.type not in {"header", "footer"}:
            wanted.update(letters(each.text))
    said = Counter(letters("".join(words_of(answer_of(readings)["markdown"]))))
    assert not (said - wanted)
    marks_of_items = {"o", "\uf0b7"}
    assert not {sign for sign in wanted - said if sign.isalpha()} - marks_of_items, path.name


def letters(text: str) -> str:
    return "".join(text.split()).translate(dict.fromkeys(map(ord, "\u00ad\u2010.…")))
