"""The report as a file, taken apart as a browser does it."""

import base64
import hashlib
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pdf.report import page
from services.pdf.report.page import PagePicture
from tests.services.pdf.report.comparisons import change, comparison, gap, side


class Taken(HTMLParser):
    """What stands in a page: elements with their attributes, and the text of scripts and styles."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, dict[str, str | None], str]] = []
        self.feed(content.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][0] in {"script", "style"} and data.strip():
            self.texts.append((*self.elements[-1], data))

    def script(self, **attributes: str) -> str:
        """The text of the one script with these attributes."""
        [found] = [text for tag, has, text in self.texts if tag == "script" and has == attributes]
        return found

    @property
    def data(self) -> Any:
        """What the script gets."""
        return orjson.loads(self.script(type="application/json", id="data"))


def pictures() -> Iterator[PagePicture]:
    yield PagePicture("left", 1, 595, 842, b"RIFF left")
    yield PagePicture("right", 1, 595, 842, b"")


@pytest.fixture
def taken() -> Taken:
    changes = [change(1, "modify", side("15일", 1), side("20일", 1)), change(2, "insert", gap(1), side("새 문장", 1))]
    return Taken(page.html(comparison(*changes), pictures()))


def test_the_script_gets_the_comparison_and_the_sizes_of_the_pages(taken: Taken) -> None:
    assert [each["n"] for each in taken.data["response"]["changes"]] == [1, 2]
    sheet = {"page": 1, "width": 595, "height": 842}
    assert taken.data["pages"] == {"left": [{**sheet, "pictured": True}], "right": [{**sheet, "pictured": False}]}


def test_a_page_is_data_until_it_is_looked_at(taken: Taken) -> None:
    assert base64.b64decode(taken.script(type="text/plain", id="picture-left-1")) == b"RIFF left"
    assert not [tag for tag, _ in taken.elements if tag == "img"]
    assert "picture-right-1" not in [has.get("id") for _, has in taken.elements]


def test_nothing_may_run_or_load_but_the_reports_own_script_and_style(taken: Taken) -> None:
    [allowed] = [has["content"] for _, has in taken.elements if has.get("http-equiv") == "Content-Security-Policy"]
    [style] = [text for tag, _, text in taken.texts if tag == "style"]
    digests = [
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in (taken.script(), style)
    ]
    assert allowed == page.policy()
    assert allowed is not None
    assert re.findall("'sha256-[^']*'", allowed) == digests
    assert allowed.startswith("default-src 'none'; ")
    assert "unsafe" not in allowed


def test_nothing_is_fetched(taken: Taken) -> None:
    loads = {"src", "href", "srcset", "data", "action", "poster", "background", "style"}
    assert not [has for _, has in taken.elements if loads & has.keys()]
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", "".join(text for *_, text in taken.texts))


def test_no_element_has_a_handler_in_its_markup(taken: Taken) -> None:
    assert not [name for _, has in taken.elements for name in has if name.startswith("on")]


@pytest.mark.parametrize(
    "text",
    ["</script><script>alert(1)</script>", "<!--<script>", "\u202egnp.exe", "\0\r\n\u2028", "&lt;", "가" * 10_000],
    ids=["script", "comment", "bidi", "controls", "entity", "long"],
)
def test_what_a_document_says_is_never_markup(text: str) -> None:
    plain = Taken(page.html(comparison(change(1, "insert", gap(1), side("", 1))), pictures()))
    taken = Taken(page.html(comparison(change(1, "insert", gap(1), side(text, 1))), pictures()))
    assert taken.elements == plain.elements
    assert taken.data["response"]["changes"][0]["right"]["text"] == text


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_every_text_reaches_the_script_as_it_is(text: str) -> None:
    taken = Taken(page.html(comparison(change(1, "insert", gap(1), side(text, 1))), []))
    assert taken.data["response"]["changes"][0]["right"]["text"] == text


def test_both_languages_say_the_same_things(taken: Taken) -> None:
    english, korean = re.findall(r"^  (?:en|ko): \{$(.*?)^  \},$", taken.script(), re.MULTILINE | re.DOTALL)
    names = [re.findall(r"(?<!\w)([a-zA-Z_]+):", re.sub(r'"[^"]*"|`[^`]*`', "", each)) for each in (english, korean)]
    assert names[0] == names[1]
