from collections.abc import Callable
from pathlib import Path

import pytest

from services.pdf.worker.fonts import PageFonts, read_fonts
from services.pdf.worker.page_boxes import find_page
from services.pdf.worker.page_text import read_text
from tests.services.pdf.support import open_path

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
