from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from google.protobuf import json_format

from papermesh.pdf.v1 import pdf_service_pb2
from services.pdf.worker.mupdf import pymupdf
from services.pdf.worker.outline_items import MAX_DEPTH
from tests.services.pdf.support import REAL, Questions, open_path
from tests.services.pdf.viewing import outline_of

Pdf = Callable[..., Path]

LEAF = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]>>"


def describe(path: Path) -> dict[str, Any]:
    described: dict[str, Any] = outline_of(open_path(path))
    json_format.ParseDict(described, pdf_service_pb2.GetOutlineResponse())
    return described


def entries(described: dict[str, Any]) -> list[tuple[int, str, int]]:
    return [(entry["level"], entry["title"], entry["page"]) for entry in described["entries"]]


def with_contents(path: Path, contents: list[tuple[int, str, int]], pages: int = 3) -> Path:
    with pymupdf.open() as document:
        for _ in range(pages):
            document.new_page()
        document.set_toc(contents)
        document.save(path)
    return path


def test_the_files_own_outline_comes_first(tmp_path: Path) -> None:
    contents = [
        (1, "제1장 총칙", 1),
        (2, "제1조 (목적)", 1),
        (3, "①", 2),
        (2, "제2조", 2),
        (1, "제2장", 3),
        (2, "제3조", 3),
    ]
    described = describe(with_contents(tmp_path / "own.pdf", contents))
    assert entries(described) == contents
    assert described["derived"] is False
    assert described["failures"] == []


def test_titles_are_folded_and_have_an_end(tmp_path: Path) -> None:
    described = describe(with_contents(tmp_path / "own.pdf", [(1, " a \n b" + "x" * 900, 1)]))
    title = described["entries"][0]["title"]
    assert title.startswith("a bx")
    assert len(title) == 500


def with_items(write: Pdf, *items: str, root: str = "<</First 10 0 R>>") -> Path:
    """A document of three pages, the objects 3, 4 and 5, and of the items given, objects from 10 on."""
    pages = "<</Type/Pages/Kids[3 0 R 4 0 R 5 0 R]/Count 3>>"
    tree = "<</Dests<</Names[(odd) 7(page three)<</D[5 0 R/Fit]>>(page two)[4 0 R/Fit]]>>>>"
    old_names = "<</two[4 0 R/Fit]/three<</D[5 0 R/Fit]>>>>"
    catalogue = "<</Type/Catalog/Pages 2 0 R/Outlines 6 0 R/Names 7 0 R/Dests 8 0 R>>"
    return write(catalogue, pages, LEAF, LEAF, LEAF, root, tree, old_names, LEAF, *items)


async def test_a_book_whose_parts_only_group_its_chapters_kills_no_worker(
    write_objects: Pdf, make_pool: Callable[..., Any], subject: Callable[..., Any]
) -> None:
    book = with_items(
        write_objects,
        "<</Title(Part I)/First 11 0 R/Next 12 0 R>>",
        "<</Title(Chapter 1)/Dest[4 0 R/Fit]>>",
        "<</Dest[5 0 R/Fit]>>",
    )
    async with make_pool(views=REAL) as pool:
        described = orjson.loads(await Questions(pool).outline(subject(book), 30))
        assert entries(described) == [(1, "Part I", 0), (2, "Chapter 1", 2)]
        assert pool.restarts == {}


@pytest.mark.parametrize(
    ("target", "page"),
    [
        ("", 0),
        ("/Dest null", 0),
        ("/Dest[4 0 R/Fit]", 2),
        ("/Dest[4 0 R]", 2),
        ("/Dest<</D[4 0 R/Fit]>>", 2),
        ("/Dest[1/Fit]", 2),
        ("/Dest[3/Fit]", 0),
        ("/Dest[-1/Fit]", 0),
        ("/Dest[99999999999/Fit]", 0),
        ("/Dest[]", 0),
        ("/Dest[null/Fit]", 0),
        ("/Dest[9 0 R/Fit]", 0),  # a page that is in no tree
        ("/Dest[99 0 R/Fit]", 0),  # a page that was removed
        ("/Dest[2 0 R/Fit]", 0),
        ("/Dest[(4 0 R)/Fit]", 0),
        ("/Dest(page two)", 2),
        ("/Dest(page three)", 3),
        ("/Dest(odd)", 0),
        ("/Dest(missing)", 0),
        ("/Dest/two", 2),
        ("/Dest/three", 3),
        ("/Dest/missing", 0),
        ("/A<</S/GoTo/D[5 0 R/Fit]>>", 3),
        ("/A<</S/GoTo/D(page two)>>", 2),
        ("/A<</S/GoTo/D/two>>", 2),
        ("/A<</S/GoTo>>", 0),
        ("/Dest null/A<</S/GoTo/D[5 0 R/Fit]>>", 3),
        ("/A<</S/URI/URI(http://example.org)>>", 0),
        ("/A<</S/URI>>", 0),
        ("/A<</S/GoToR/F(other.pdf)/D[0/Fit]>>", 0),
        ("/A<</S/GoToE/D[0/Fit]/T<</R/C/N(annex)>>>>", 0),
        ("/A<</S/Launch/F(program)>>", 0),
        ("/A<</S/Named/N/NextPage>>", 0),
        ("/A<</S/JavaScript/JS(app.alert\\(1\\))>>", 0),
        ("/A<</S/SubmitForm/F(http://example.org)>>", 0),
        ("/A<</S/SetOCGState/State[]>>", 0),
        ("/A<<>>", 0),
        ("/A null", 0),
    ],
)
def test_an_entry_has_the_page_of_its_target_or_0_and_takes_nothing_from_the_others(
    write_objects: Pdf, target: str, page: int
) -> None:
    path = with_items(write_objects, f"<</Title(it){target}/Next 11 0 R>>", "<</Title(next)/Dest[5 0 R/Fit]>>")
    assert entries(describe(path)) == [(1, "it", page), (1, "next", 3)]


@pytest.mark.parametrize("title", ["", "/Title null", "/Title()", "/Title 7", "/Title[(x)]", "/Title<</x 1>>"])
def test_an_entry_without_a_title_is_passed_over_and_what_is_below_it_stays(write_objects: Pdf, title: str) -> None:
    path = with_items(
        write_objects,
        f"<<{title}/Dest[3 0 R/Fit]/First 11 0 R/Next 12 0 R>>",
        "<</Title(below)/Dest[4 0 R/Fit]>>",
        "<</Title(after)/Dest[5 0 R/Fit]>>",
    )
    assert entries(describe(path)) == [(2, "below", 2), (1, "after", 3)]


@pytest.mark.parametrize(
    ("second", "read"),
    [
        ("/First 10 0 R", 2),  # its parent
        ("/First 11 0 R", 2),  # itself
        ("/Next 10 0 R", 2),
        ("/Next 11 0 R", 2),
        ("/Next 6 0 R", 2),  # the root has no title, and its first is known
        ("/First 12 0 R/Next 12 0 R", 3),  # one that two lead to is told once
    ],
)
def test_of_an_outline_that_leads_in_circles_what_was_read_before_stays(
    write_objects: Pdf, second: str, read: int
) -> None:
    path = with_items(
        write_objects,
        "<</Title(a)/Dest[3 0 R/Fit]/First 11 0 R>>",
        f"<</Title(b)/Dest[4 0 R/Fit]{second}>>",
        "<</Title(c)>>",
    )
    described = describe(path)
    assert entries(described) == [(1, "a", 1), (2, "b", 2), (3, "c", 0)][:read]
    assert described["derived"] is False


ODD = ("7", "-1.5", "true", "null", "/Name", "(text)", "[]", "[[[]]]", "<<>>", "99 0 R", "2 0 R", "10 0 R", "<FEFF>")


@pytest.mark.parametrize("key", ["Title", "First", "Next", "Dest", "A", "A<</S/GoTo/D", "A<</S"])
def test_a_value_of_any_type_costs_its_own_entry_at_most(write_objects: Pdf, key: str) -> None:
    for odd in ODD:
        end = ">>" if "<<" in key else ""
        path = with_items(
            write_objects,
            "<</Title(odd)/First 11 0 R/Next 12 0 R>>",
            f"<</{key} {odd}{end}>>",
            "<</Title(after)/Dest[5 0 R/Fit]>>",
        )
        found = entries(describe(path))
        assert found[0] == (1, "odd", 0), odd
        assert found[-1] == (1, "after", 3), odd


@pytest.mark.parametrize("root", [*ODD, "<</First 7>>", "<</First[10 0 R]>>"])
def test_an_outline_of_any_type_is_none(write_objects: Pdf, root: str) -> None:
    described = describe(with_items(write_objects, "<</Title(not of the outline's)>>", root=root))
    if root != "10 0 R":  # whose first is looked for as well
        assert described["entries"] == []
    assert described["derived"] is True


def test_a_hundred_thousand_items_and_ten_thousand_levels_are_bounded(write_objects: Pdf) -> None:
    wide = [f"<</Title({number})/Dest[4 0 R/Fit]/Next {number + 11} 0 R>>" for number in range(100_000)]
    assert len(describe(with_items(write_objects, *wide))["entries"]) == 10_000
    nameless = [f"<</Next {number + 11} 0 R>>" for number in range(30_000)]
    assert describe(with_items(write_objects, *nameless))["derived"] is True
    deep = [f"<</Title({number})/First {number + 11} 0 R>>" for number in range(10_000)]
    assert [level for level, _, _ in entries(describe(with_items(write_objects, *deep)))] == [*range(1, MAX_DEPTH + 1)]


def test_a_deep_and_long_outline_is_bounded(tmp_path: Path) -> None:
    deep = with_contents(tmp_path / "deep.pdf", [(level, f"level {level}", 1) for level in range(1, 200)])
    assert len(describe(deep)["entries"]) == MAX_DEPTH
    long = with_contents(tmp_path / "long.pdf", [(1, f"entry {number}", 1) for number in range(10_500)])
    assert len(describe(long)["entries"]) == 10_000


def test_without_an_outline_the_headings_stand_in(tmp_path: Path) -> None:
    path = tmp_path / "headings.pdf"
    with pymupdf.open() as document:
        for number in range(1, 4):
            page = document.new_page()
            page.insert_text((72, 40), f"Company policy - page {number} of 3", fontsize=14)
            page.insert_text((72, 100), f"Chapter {number}", fontsize=20)
            page.insert_text((72, 140), f"{number}.1 Scope of it", fontsize=11, fontname="hebo")
            for line in range(20):
                page.insert_text((72, 170 + 14 * line), "Body text runs on and on over the whole line.", fontsize=11)
        document.save(path)
    described = describe(path)
    assert described["derived"] is True
    assert entries(described) == [
        (1, "Chapter 1", 1),
        (2, "1.1 Scope of it", 1),
        (1, "Chapter 2", 2),
        (2, "2.1 Scope of it", 2),
        (1, "Chapter 3", 3),
        (2, "3.1 Scope of it", 3),
    ]


def test_a_korean_report_has_its_sections(corpus: Path) -> None:
    titles = [entry["title"] for entry in describe(corpus / "mixed" / "normal_4pages.pdf")["entries"]]
    assert any("문제점" in title for title in titles)
    assert any("개선과제" in title for title in titles)


def test_plain_text_has_no_headings(make_pdf: Pdf) -> None:
    assert describe(make_pdf("Only text.\nAnd more of it.")) == {"entries": [], "derived": True, "failures": []}
