from collections.abc import Callable
from pathlib import Path

import pytest

from services.base.errors import PapermeshError
from tests.services.pdf.support import open_path
from tests.services.pdf.viewing import read_text

Write = Callable[..., Path]

CATALOG = "<</Type/Catalog/Pages 2 0 R>>"
PAGE = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Resources<</Font<</H 9 0 R>>>>/Contents {} 0 R>>"
FONT = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"


def content(text: str) -> str:
    drawn = f"BT /H 12 Tf 20 100 Td ({text}) Tj ET"
    return f"<</Length {len(drawn)}>>stream\n{drawn}\nendstream"


def texts(path: Path) -> list[str]:
    document = open_path(path)
    return [read_text(document, page).strip() for page in range(1, document.page_count + 1)]


@pytest.mark.parametrize("count", ["1", "2", "3", "4", "77", "-1", "0", "/None", "2147483647"])
def test_a_wrong_count_loses_no_page_and_makes_none(write_objects: Write, count: str) -> None:
    tree = f"<</Type/Pages/Kids[3 0 R 4 0 R 5 0 R]/Count {count}>>"
    pages = [PAGE.format(number) for number in (6, 7, 8)]
    path = write_objects(CATALOG, tree, *pages, *map(content, ("one", "two", "three")), FONT)
    assert texts(path) == ["one", "two", "three"]


@pytest.mark.parametrize("inner", [1, 2, 5])
@pytest.mark.parametrize("outer", [1, 3, 9])
def test_the_counts_below_may_be_wrong_as_well(write_objects: Write, inner: int, outer: int) -> None:
    path = write_objects(
        CATALOG,
        f"<</Type/Pages/Kids[3 0 R 4 0 R]/Count {outer}>>",
        PAGE.format(6),
        f"<</Type/Pages/Parent 2 0 R/Kids[5 0 R 10 0 R]/Count {inner}>>",
        PAGE.format(7),
        *map(content, ("one", "two", "three")),
        FONT,
        PAGE.format(8),
    )
    assert texts(path) == ["one", "two", "three"]


def test_a_tree_that_leads_back_into_itself_has_the_pages_that_were_met_before(write_objects: Write) -> None:
    path = write_objects(
        CATALOG, "<</Type/Pages/Kids[3 0 R 2 0 R null 3 0 R]/Count 9>>", PAGE.format(4), content("one"),
        *["null"] * 4, FONT,
    )  # fmt: skip
    assert texts(path) == ["one"]


def test_a_tree_without_pages_has_none(write_objects: Write) -> None:
    path = write_objects(CATALOG, "<</Type/Pages/Kids[null 7]/Count 5>>")
    with pytest.raises(PapermeshError) as refused:
        open_path(path)
    assert refused.value.details["reason"] == "broken"
