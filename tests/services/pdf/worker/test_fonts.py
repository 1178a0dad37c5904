from collections.abc import Callable
from pathlib import Path

import pytest

from services.pdf.worker.fonts import PageFonts, read_fonts
from services.pdf.worker.page_boxes import find_page
from tests.services.pdf.support import open_path
from tests.services.pdf.viewing import read_text

Write = Callable[..., Path]

COMPOSITE = "/Type/Font/Subtype/Type0/BaseFont/HYSMyeongJo-Medium/DescendantFonts[6 0 R]"
DESCENDANT = (
    "<</Type/Font/Subtype/CIDFontType0/BaseFont/HYSMyeongJo-Medium/DW 1000"
    "/CIDSystemInfo<</Registry(Adobe)/Ordering(Korea1)/Supplement 2>>>>"
)
NAMED = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"


def written(write_objects: Write, font: str, codes: str = "") -> Path:
    drawn = f"BT /F 12 Tf 20 100 Td <{codes}> Tj ET"
    return write_objects(
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1/Resources<</Font<</F 5 0 R>>>>>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R>>",
        f"<</Length {len(drawn)}>>stream\n{drawn}\nendstream",
        font,
        DESCENDANT,
    )


@pytest.mark.parametrize(
    ("font", "says"),
    [
        (NAMED, PageFonts()),
        (f"<<{COMPOSITE}/Encoding/KSCms-UHC-H>>", PageFonts(numbered=True)),
        (f"<<{COMPOSITE}/Encoding/Identity-H>>", PageFonts(unmapped=True, numbered=True)),
        (f"<<{COMPOSITE}/Encoding/Identity-H/ToUnicode 4 0 R>>", PageFonts(numbered=True)),
        ("<</Type/Font/Subtype/Type3>>", PageFonts(numbered=True)),
        ("null", PageFonts()),
        ("[5 0 R]", PageFonts()),
    ],
)
def test_fonts_say_what_their_glyphs_mean_or_not(write_objects: Write, font: str, says: PageFonts) -> None:
    document = open_path(written(write_objects, font))
    assert read_fonts(document, find_page(document, 1)) == says


def test_korean_without_a_descriptor_is_korean(write_objects: Write) -> None:
    codes = "제1조 목적".encode("cp949").hex()
    path = written(write_objects, f"<<{COMPOSITE}/Encoding/KSCms-UHC-H>>", codes)
    assert read_text(open_path(path), 1) == "제1조 목적\n"


@pytest.mark.parametrize(
    ("encoding", "codec"),
    [
        ("KSC-Johab-H", "johab"),
        ("UniKS-UTF8-H", "utf-8"),
        ("UniKS-UTF32-H", "utf-32-be"),
        ("UniKS-UTF16-H", "utf-16-be"),
        ("KSCms-UHC-H", "cp949"),
    ],
)
def test_korean_is_korean_in_whatever_bytes_it_is_written(write_objects: Write, encoding: str, codec: str) -> None:
    text = "제1조(漢) ㄱA~"
    path = written(write_objects, f"<<{COMPOSITE}/Encoding/{encoding}>>", text.encode(codec).hex())
    assert read_text(open_path(path), 1) == f"{text}\n"


@pytest.mark.parametrize("encoding", ["KSC-Johab-V", "UniKS-UTF8-V", "UniKS-UTF32-V"])
def test_so_it_is_from_top_to_bottom(write_objects: Write, encoding: str) -> None:
    codec = {"KSC-Johab-V": "johab", "UniKS-UTF8-V": "utf-8", "UniKS-UTF32-V": "utf-32-be"}[encoding]
    path = written(write_objects, f"<<{COMPOSITE}/Encoding/{encoding}>>", "세로쓰기".encode(codec).hex())
    assert read_text(open_path(path), 1) == "세로쓰기\n"


@pytest.mark.parametrize(
    ("differences", "text"),
    [
        ("65/u1F600/uniAC00", "😀가"),
        ("65/u1F600.alt/u1F601", "😀😁"),
        ("66/u10FFFD 65/u20BB7", "𠮷\U0010fffd"),
        ("65/A/uAC00", "A가"),
        ("65/B 66/u1F60", "B\u1f60"),
        ("300/u1F600 -1/u1F600 65/A/B", "AB"),
        ("(x)/u1F600 65/A/B 3 0 R", "AB"),
    ],
)
def test_glyphs_are_named_by_any_character(write_objects: Write, differences: str, text: str) -> None:
    font = f"<</Type/Font/Subtype/Type1/BaseFont/Foo/Encoding<</Differences[{differences}]>>>>"
    document = open_path(written(write_objects, font, "4142"))
    assert read_text(document, 1) == f"{text}\n"
    assert read_text(document, 1) == f"{text}\n", "as when it is read again"
