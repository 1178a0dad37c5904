from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.pdf.worker import annotations
from services.pdf.worker.mupdf import pymupdf
from tests.services.pdf.support import describe

Write = Callable[..., Path]

MARKED = "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>"


def page_with(write_objects: Write, annots: str, *more: str, page: str = "") -> Path:
    leaf = f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 300]/Annots {annots}{page}>>"
    return write_objects(*MARKED, leaf, *more)


def comments(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = describe(path)["comments"]
    return found


def links(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = describe(path)["links"]
    return found


def utf16(text: str) -> str:
    return f"<{text.encode('utf-16').hex()}>"


def test_a_comment_says_who_what_when_and_where(tmp_path: Path) -> None:
    path = tmp_path / "comments.pdf"
    with pymupdf.open() as document:
        document.new_page()
        page = document.new_page(width=400, height=500)
        page.insert_text((50, 100), "fifteen days")
        note = page.add_text_annot((300, 40), "제12조와 맞지 않습니다.")
        note.set_info(title="김철수", modDate="D:20250823120000+09'00'")
        note.update()
        mark = page.add_highlight_annot(pymupdf.Rect(50, 90, 120, 104))
        mark.set_info(title="Ada", content="Why fifteen?", modDate="", creationDate="")
        mark.update()
        boxes = [tuple(round(side, 2) for side in each.rect) for each in (note, mark)]
        document.save(path)
    found = comments(path)
    assert [tuple(comment.pop("bbox").values()) for comment in found] == [pytest.approx(box, abs=0.02) for box in boxes]
    assert found[0] == {
        "page": 2,
        "type": "Text",
        "author": "김철수",
        "date": "2025-08-23T12:00:00+09:00",
        "text": "제12조와 맞지 않습니다.",
        "hidden": False,
    }
    assert (found[1]["type"], found[1]["author"], found[1]["text"]) == ("Highlight", "Ada", "Why fifteen?")


@pytest.mark.parametrize(
    ("written", "date"),
    [
        ("/M(D:20250823)", "2025-08-23T00:00:00Z"),
        ("/M(yesterday)", ""),
        ("/M(yesterday)/CreationDate(D:2024)", "2024-01-01T00:00:00Z"),
        ("/M 20250823", ""),
        ("/M(D:20251332)", ""),
        ("", ""),
    ],
)
def test_a_date_is_never_invented(write_objects: Write, written: str, date: str) -> None:
    (comment,) = comments(page_with(write_objects, f"[<</Subtype/Text/Rect[1 1 9 9]{written}>>]"))
    assert comment["date"] == date


@pytest.mark.parametrize(("flags", "hidden"), [("", False), ("/F 4", False), ("/F 2", True), ("/F 32", True)])
def test_what_is_hidden_is_said_to_be(write_objects: Write, flags: str, *, hidden: bool) -> None:
    (comment,) = comments(page_with(write_objects, f"[<</Subtype/Text/Contents(x){flags}>>]"))
    assert comment["hidden"] is hidden


def test_old_korean_programs_wrote_comments_in_cp949(write_objects: Write) -> None:
    korean = f"<{'검토 의견'.encode('cp949').hex()}>"
    (comment,) = comments(page_with(write_objects, f"[<</Subtype/Text/Contents {korean}/T {utf16('검토자')}>>]"))
    assert (comment["text"], comment["author"]) == ("검토 의견", "검토자")


def test_lines_of_a_comment_stay_lines(write_objects: Write) -> None:
    (comment,) = comments(page_with(write_objects, r"[<</Subtype/FreeText/Contents(one\rtwo\r\nthree\000)>>]"))
    assert comment["text"] == "one\ntwo\nthree"


@pytest.mark.parametrize(
    ("page", "box"),
    [
        ("", [10, 240, 30, 280]),
        ("/Rotate 90", [10, 240, 30, 280]),
        ("/CropBox[5 5 150 250]", [5, 190, 25, 230]),
        ("/UserUnit 2", [20, 480, 60, 560]),
    ],
)
def test_boxes_are_in_points_from_the_top_left_of_the_page_before_rotation(
    write_objects: Write, page: str, box: list[float]
) -> None:
    (comment,) = comments(page_with(write_objects, "[<</Subtype/Square/Rect[30 20 10 60]>>]", page=page))
    assert list(comment["bbox"].values()) == box


@pytest.mark.parametrize("rect", ["", "/Rect 7", "/Rect[1 2]", "/Rect[a b c d]", f"/Rect[0 0 1{'0' * 60} 1]"])
def test_a_box_is_always_four_numbers(write_objects: Write, rect: str) -> None:
    (comment,) = comments(page_with(write_objects, f"[<</Subtype/Square{rect}>>]"))
    assert list(comment["bbox"]) == ["x0", "y0", "x1", "y1"]
    assert all(isinstance(side, int | float) for side in comment["bbox"].values())


def test_links_lead_to_pages_web_pages_and_files(write_objects: Write) -> None:
    path = page_with(
        write_objects,
        "[<</Subtype/Link/A<</S/URI/URI(https://example.com/a?b=1)>>>>"
        "<</Subtype/Link/Dest[3 0 R/Fit]>>"
        "<</Subtype/Link/A<</S/GoTo/D[3 0 R/XYZ 0 0 0]>>>>"
        f"<</Subtype/Link/A<</S/GoToR/F<</UF {utf16('별표.pdf')}/F(x.pdf)>>/D[0/Fit]>>>>"
        "<</Subtype/Link/A<</S/Launch/F(run.exe)>>>>"
        "<</Subtype/Link/A<</S/Named/N/NextPage>>>>"
        "<</Subtype/Link/Dest(nowhere)>>]",
    )
    assert [(link["uri"], link["target_page"]) for link in links(path)] == [
        ("https://example.com/a?b=1", 0),
        ("", 1),
        ("", 1),
        ("별표.pdf", 0),
        ("run.exe", 0),
        ("", 0),
        ("", 0),
    ]


@pytest.mark.parametrize("annots", ["7", "(x)", "[7 null (x) [] 99 0 R]", "3 0 R", "[3 0 R]", "<</Kids[3 0 R]>>"])
def test_what_is_no_annotation_is_none(write_objects: Write, annots: str) -> None:
    described = describe(page_with(write_objects, annots))
    assert (described["comments"], described["links"], described["truncated"]) == ([], [], [])


def test_an_annotation_of_broken_parts_has_what_is_left(write_objects: Write) -> None:
    (comment,) = comments(page_with(write_objects, "[<</Subtype/Text/Rect 9 0 R/T 3/Contents[1]/M<<>>/F(x)>>]"))
    assert (comment["type"], comment["author"], comment["text"], comment["date"]) == ("Text", "", "", "")


def test_popups_and_print_marks_are_no_comments(write_objects: Write) -> None:
    annots = "[<</Subtype/Popup/Contents(x)>><</Subtype/PrinterMark>><</Subtype/TrapNet>><</Contents(x)>>]"
    assert comments(page_with(write_objects, annots)) == []


def test_a_list_ends_at_its_limit_and_says_so(write_objects: Write) -> None:
    described = describe(page_with(write_objects, f"[{'<</Subtype/Text/Contents(x)>>' * 1001}]"))
    assert len(described["comments"]) == 1000
    assert described["truncated"] == ["comments"]


def test_a_list_ends_after_so_many_characters_and_says_so(write_objects: Write) -> None:
    long = f"<</Subtype/Text/Contents({'x' * 3000})>>"
    described = describe(page_with(write_objects, f"[{long * 300}]"))
    assert {len(comment["text"]) for comment in described["comments"]} == {2000}
    assert len(described["comments"]) == 100
    assert described["truncated"] == ["comments"]


def test_of_a_hundred_thousand_annotations_the_first_are_looked_at(write_objects: Write) -> None:
    described = describe(page_with(write_objects, f"[{'4 0 R ' * 100_000}]", "<</Subtype/Square/Rect[0 0 9 9]>>"))
    assert len(described["comments"]) == 1000
    assert described["truncated"] == ["comments", "links", "attachments", "javascript"]


def test_pages_far_behind_are_not_looked_at_and_the_answer_says_so(
    make_pdf: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_pdf("a", "b", "c")
    assert describe(path)["truncated"] == []
    monkeypatch.setattr(annotations, "MOST_PAGES", 2)
    monkeypatch.setattr("services.pdf.worker.extras.MOST_PAGES", 2)
    assert describe(path)["truncated"] == ["comments", "links", "attachments", "javascript"]


def test_a_file_that_is_made_to_be_slow_costs_the_rest_of_the_lists(
    write_objects: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.pdf.worker.extras._SECONDS", -1.0)
    described = describe(page_with(write_objects, "[<</Subtype/Text/Contents(x)>>]"))
    assert described["comments"] == []
    assert "comments" in described["truncated"]
