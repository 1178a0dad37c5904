from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.pdf.worker.mupdf import pymupdf
from tests.services.pdf.support import describe

Write = Callable[..., Path]


def form(write_objects: Write, fields: str, *more: str, annots: str = "[]") -> Path:
    return write_objects(
        f"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields {fields}>>>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 300]/Annots {annots}>>",
        *more,
    )


def fields(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = describe(path)["form_fields"]
    return found


def values(path: Path) -> list[tuple[str, str]]:
    return [(field["type"], field["value"]) for field in fields(path)]


def utf16(text: str) -> str:
    return f"<{text.encode('utf-16').hex()}>"


def test_a_filled_form_says_what_was_filled_in_where(tmp_path: Path) -> None:
    path = tmp_path / "form.pdf"
    with pymupdf.open() as document:
        document.new_page()
        page = document.new_page()
        for name, kind, value in (
            ("name", pymupdf.PDF_WIDGET_TYPE_TEXT, "홍길동"),
            ("agreed", pymupdf.PDF_WIDGET_TYPE_CHECKBOX, True),
            ("city", pymupdf.PDF_WIDGET_TYPE_COMBOBOX, "Busan"),
        ):
            widget = pymupdf.Widget()
            widget.field_name, widget.field_type, widget.field_value = name, kind, value
            widget.rect = pymupdf.Rect(50, 50, 150, 70)
            if name == "city":
                widget.choice_values = ["Seoul", "Busan"]
            page.add_widget(widget)
        document.save(path)
    assert fields(path) == [
        {"name": "name", "type": "text", "value": "홍길동", "page": 2, "hidden": False},
        {"name": "agreed", "type": "checkbox", "value": "Yes", "page": 2, "hidden": False},
        {"name": "city", "type": "combo", "value": "Busan", "page": 2, "hidden": False},
    ]


@pytest.mark.parametrize(
    ("field", "shown"),
    [
        ("/FT/Tx/V(text)", ("text", "text")),
        (f"/FT/Tx/V {utf16('휴가')}", ("text", "휴가")),
        ("/FT/Tx/V 15", ("text", "15")),
        ("/FT/Tx", ("text", "")),
        ("/FT/Tx/Ff 8192/V(secret)", ("password", "")),
        ("/FT/Btn/V/Off", ("checkbox", "Off")),
        ("/FT/Btn/V/1/Opt[(no)(yes)]", ("checkbox", "yes")),
        ("/FT/Btn/V/7/Opt[(no)(yes)]", ("checkbox", "7")),
        ("/FT/Btn/Ff 32768/V/A", ("radio", "A")),
        ("/FT/Btn/Ff 65536/V/A", ("button", "")),
        ("/FT/Ch/V(b)/Opt[[(a)(Seoul)][(b)(Busan)]]", ("list", "Busan")),
        ("/FT/Ch/V[(a)(c)]/Opt[[(a)(Seoul)][(b)(Busan)](c)]", ("list", "Seoul\nc")),
        ("/FT/Ch/Ff 131072/V(other)/Opt[(a)]", ("combo", "other")),
        ("/FT/Sig", ("signature", "")),
        ("/FT/Odd/V(x)", ("", "x")),
        ("/FT/Tx/V[(a)[(b)]<</x 1>>]", ("text", "a\n\n")),
        ("/FT/Tx/V 3 0 R/Opt(x)/Ff(y)/F/z", ("text", "")),
    ],
)
def test_a_field_has_the_value_that_a_reader_sees(write_objects: Write, field: str, shown: tuple[str, str]) -> None:
    kind, value = shown
    assert values(form(write_objects, f"[<</T(f){field}>>]")) == [(kind, value.strip())]


def test_a_password_in_a_group_of_passwords_is_kept_secret_too(write_objects: Write) -> None:
    path = form(
        write_objects, "[4 0 R]", "<</T(login)/FT/Tx/Ff 8192/V(secret)/Kids[5 0 R]>>", "<</T(pin)/Parent 4 0 R>>"
    )
    assert fields(path) == [{"name": "login.pin", "type": "password", "value": "", "page": 0, "hidden": False}]
    assert "secret" not in str(describe(path))


def test_names_have_those_of_their_groups_and_kinds_are_inherited(write_objects: Write) -> None:
    path = form(
        write_objects,
        "[4 0 R]",
        f"<</T {utf16('신청인')}/FT/Tx/Kids[5 0 R 6 0 R]>>",
        "<</T(name)/V(Ada)>>",
        "<</T(more)/Kids[<</T(day)/V(1)>><</T(on)/FT/Btn/V/Yes>>]>>",
    )
    assert [(field["name"], field["type"], field["value"]) for field in fields(path)] == [
        ("신청인.name", "text", "Ada"),
        ("신청인.more.day", "text", "1"),
        ("신청인.more.on", "checkbox", "Yes"),
    ]


def test_what_has_no_kind_is_no_field(write_objects: Write) -> None:
    assert fields(form(write_objects, "[<</T(a)/V(x)>><</T(b)/FT 7>><</T(c)/FT/Tx>>]"))[0]["name"] == "c"


def test_a_choice_of_several_buttons_is_one_field(write_objects: Write) -> None:
    path = form(
        write_objects,
        "[4 0 R]",
        "<</T(sex)/FT/Btn/Ff 32768/V/F/Kids[5 0 R 6 0 R]>>",
        "<</Subtype/Widget/Parent 4 0 R/F 2>>",
        "<</Subtype/Widget/Parent 4 0 R/F 4>>",
        annots="[5 0 R 6 0 R]",
    )
    assert fields(path) == [{"name": "sex", "type": "radio", "value": "F", "page": 1, "hidden": False}]


def test_a_field_that_the_form_forgot_is_found_on_its_page(write_objects: Write) -> None:
    path = form(
        write_objects,
        "[]",
        "<</T(top)/FT/Tx/V(x)/Kids[5 0 R]>>",
        "<</Subtype/Widget/T(own)/Parent 4 0 R/F 2>>",
        annots="[5 0 R]",
    )
    assert fields(path) == [{"name": "top.own", "type": "text", "value": "x", "page": 1, "hidden": True}]


@pytest.mark.parametrize(
    ("tree", "names"),
    [
        ("[4 0 R 4 0 R]", ["a"]),
        ("[6 0 R]", ["c.b"]),
        ("[7 0 R]", []),
        ("[8 0 R]", ["d"]),
        ("7", []),
        ("[7 (x) null [] 99 0 R]", []),
        ("1 0 R", []),
    ],
)
def test_a_tree_that_runs_in_circles_has_each_field_once(write_objects: Write, tree: str, names: list[str]) -> None:
    path = form(
        write_objects,
        tree,
        "<</T(a)/FT/Tx>>",
        "<</T(b)/FT/Tx/Parent 6 0 R>>",
        "<</T(c)/Kids[5 0 R 6 0 R 5 0 R]>>",
        "<</T(self)/Kids[7 0 R]>>",
        "<</T(d)/FT/Tx/Kids[9 0 R]/Parent 9 0 R>>",
        "<</Parent 8 0 R/Kids[8 0 R]>>",
    )
    assert [field["name"] for field in fields(path)] == names


def test_a_form_of_any_size_or_depth_ends(write_objects: Write) -> None:
    many = describe(form(write_objects, f"[{'<</T(x)/FT/Tx>>' * 1001}]"))
    assert (len(many["form_fields"]), many["truncated"]) == (1000, ["form_fields"])
    deep = describe(form(write_objects, f"[{'<</T(x)/Kids[' * 40}<</T(x)>>{']>>' * 40}]"))
    assert (deep["form_fields"], deep["truncated"]) == ([], ["form_fields", "signatures", "javascript"])
    wide = describe(form(write_objects, "[4 0 R 5 0 R]", "<</T(x)/Kids 6 0 R>>", "<</T(y)>>", f"[{'3 0 R ' * 20_001}]"))
    assert (wide["form_fields"], wide["truncated"]) == ([], ["form_fields", "signatures", "javascript"])


def test_an_xfa_form_is_said_to_be_there(write_objects: Write) -> None:
    assert describe(form(write_objects, "[]/XFA[(template) 4 0 R]", "<</Length 0>>stream\n\nendstream"))["xfa"]
    assert not describe(form(write_objects, "[]"))["xfa"]
