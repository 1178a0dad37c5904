from collections.abc import Callable
from pathlib import Path

import pytest

from services.pdf.worker.mupdf import mupdf
from services.pdf.worker.page_boxes import find_page
from tests.services.pdf.support import open_path
from tests.services.pdf.viewing import read_text

Write = Callable[..., Path]


def written(write_objects: Write, crop: str, *, inherited: bool = False) -> Path:
    drawn = "BT /H 12 Tf 20 100 Td (text of the page) Tj ET"
    above, own = (f"/CropBox {crop}", "") if inherited else ("", f"/CropBox {crop}")
    return write_objects(
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[3 0 R]/Count 1{above}>>",
        f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 300]{own}/Resources<</Font<</H 5 0 R>>>>/Contents 4 0 R>>",
        f"<</Length {len(drawn)}>>stream\n{drawn}\nendstream",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    )


@pytest.mark.parametrize("inherited", [True, False])
@pytest.mark.parametrize("crop", ["[0 0 0 0]", "[50 50 50 90]", "[900 900 950 950]", "[-50 -50 -1 -1]"])
def test_a_crop_box_that_shows_nothing_hides_nothing(write_objects: Write, crop: str, *, inherited: bool) -> None:
    document = open_path(written(write_objects, crop, inherited=inherited))
    assert read_text(document, 1).strip() == "text of the page"


@pytest.mark.parametrize("crop", ["[0 0 100 100]", "[100 100 0 0]", "[-5 -5 900 900]", "/None"])
def test_any_other_crop_box_stays(write_objects: Write, crop: str) -> None:
    document = open_path(written(write_objects, crop))
    before = mupdf.pdf_to_rect(mupdf.pdf_dict_gets(mupdf.pdf_lookup_page_obj(document.pdf, 0), "CropBox"))
    after = mupdf.pdf_to_rect(mupdf.pdf_dict_gets(find_page(document, 1), "CropBox"))
    assert (after.x0, after.y0, after.x1, after.y1) == (before.x0, before.y0, before.x1, before.y1)
