from collections.abc import Callable
from pathlib import Path

import pytest

from tests.services.pdf.support import describe

Write = Callable[..., Path]

SCRIPT = "<</S/JavaScript/JS(app.alert\\(1\\))>>"


def document(write_objects: Write, catalog: str = "", page: str = "", annotation: str = "", *more: str) -> Path:
    return write_objects(
        f"<</Type/Catalog/Pages 2 0 R{catalog}>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 300]/Annots[<</Subtype/Link{annotation}>>]{page}>>",
        *more,
    )


@pytest.mark.parametrize(
    "parts",
    [
        (f"/OpenAction{SCRIPT}",),
        (f"/AA<</WC{SCRIPT}>>",),
        (f"/Names<</JavaScript<</Names[(a){SCRIPT}]>>>>",),
        (f"/Names<</JavaScript<</Kids[<</Names[(a){SCRIPT}]>>]>>>>",),
        (f"/AcroForm<</Fields[<</T(x)/FT/Tx/AA<</K{SCRIPT}>>>>]>>",),
        (f"/AcroForm<</Fields[<</T(x)/FT/Tx/Kids[<</T(y)/A{SCRIPT}>>]>>]>>",),
        ("", f"/AA<</O{SCRIPT}>>"),
        ("", "", f"/A{SCRIPT}"),
        ("", "", f"/A<</S/URI/URI(x)/Next{SCRIPT}>>"),
        ("", "", f"/A<</S/URI/Next[<</S/GoTo>><</S/Named/Next{SCRIPT}>>]>>"),
        ("", "", "/AA<</U<</S/Rendition/JS(x)>>>>"),
    ],
)
def test_a_script_is_found_wherever_it_stands(write_objects: Write, parts: tuple[str, ...]) -> None:
    described = describe(document(write_objects, *parts))
    assert described["javascript"] is True
    assert described["truncated"] == []


@pytest.mark.parametrize(
    "parts",
    [
        ("",),
        ("/OpenAction[3 0 R/Fit]/AA<</WC<</S/GoTo/D[3 0 R/Fit]>>>>",),
        ("/OpenAction 7/AA 7/Names<</JavaScript<</Names[]>>>>",),
        ("/Names<</JavaScript 7>>",),
        ("", "", "/A<</S/URI/URI(javascript:x)>>"),
        ("", "", "/A<</S/Rendition/R 3 0 R>>"),
    ],
)
def test_what_is_no_script_is_none(write_objects: Write, parts: tuple[str, ...]) -> None:
    described = describe(document(write_objects, *parts))
    assert (described["javascript"], described["truncated"]) == (False, [])


def test_actions_that_follow_each_other_in_a_circle_end(write_objects: Write) -> None:
    described = describe(document(write_objects, "/OpenAction 4 0 R", "", "", "<</S/GoTo/Next 4 0 R>>"))
    assert (described["javascript"], described["truncated"]) == (False, ["javascript"])
