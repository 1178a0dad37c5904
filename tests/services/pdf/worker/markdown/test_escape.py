from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.pdf.worker.markdown import escape
from tests.services.pdf.worker.markdown.parsed import outline_of, tokens_of, words_of

SIGNS = st.sampled_from(
    [
        *"\\`*_~[]()<>&#!|-+=.:/'\"{}^$",
        *("**", "__", "~~", "```", "---", "1.", "2)", "[x]", "![", "](", "]:", "<!--", "-->", "<b>", "</b>", "<?"),
        *(
            "&amp;",
            "&#42;",
            "http://a.b",
            "<http://a.b>",
            "제1조",
            "가",
            "word",
            "a1",
            " ",
            "\u3000",
            "°",
            "①",
            "\ufffd",
        ),
    ]
)
TEXTS = st.lists(SIGNS | st.text(max_size=3), min_size=1, max_size=12).map(
    lambda parts: " ".join("".join(parts).split())
)
TEXTS = TEXTS.filter(lambda text: bool(text) and text.isprintable())


@given(TEXTS)
@example("# a")
@example("- a")
@example("1. a")
@example("***")
@example("_ _ _")
@example("a\\")
@example("[a]: b")
@example("[x] done")
@example("~~~")
@example("<!-- page 3 -->")
@example("*a_*_")
def test_a_paragraph_is_one_paragraph_of_the_same_text(text: str) -> None:
    assert outline_of(escape.paragraph(text)) == [("", text)]
    assert outline_of(f"- {escape.paragraph(text)}") == [("li", text)]
    assert outline_of(f"> {escape.paragraph(text)}") == [("blockquote", text)]


@given(TEXTS)
@example("C #")
@example("#")
def test_a_heading_is_one_heading_of_the_same_text(text: str) -> None:
    assert outline_of(f"## {escape.heading(text)}") == [("h2", text)]


@given(TEXTS)
@example("a\\")
@example("* a")
@example("a *b*")
def test_what_is_set_in_italics_has_the_same_text(text: str) -> None:
    markdown = f"*{escape.inline(text, in_runs=True)}*"
    assert words_of(markdown) == text.split()
    (_, inline, _) = tokens_of(markdown)
    assert inline.children is not None
    assert [child.type for child in inline.children if child.type != "text"] == ["em_open", "em_close"]


@given(TEXTS, TEXTS)
@example("a\\", "|")
@example("\\|", "`|`")
def test_cells_of_a_table_have_the_same_texts(text: str, other: str) -> None:
    markdown = f"| {escape.cell(text)} | {escape.cell(other)} |\n|---|---|\n| {escape.cell(other)} |  |"
    assert outline_of(markdown) == [("thead/th", text), ("thead/th", other), ("tbody/td", other), ("tbody/td", "")]


@pytest.mark.parametrize(
    "text",
    [
        "snake_case_name",
        "5 * 3 * 2",
        "text* with one mark",
        "3~5일",
        "a < b & c > d",
        "R&D and 5 & 6;",
        "C:\\dir",
        "[1] and (2) and a|b",
        "제1조(목적) ① 1.5배",
        "-5 or #3 or +82",
        "1.5",
    ],
)
def test_what_is_no_markdown_is_left_as_it_is(text: str) -> None:
    assert escape.paragraph(text) == text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("3~5일, 7~9일", "3\\~5일, 7\\~9일"),  # GitHub strikes out between single tildes too
        ("1. 목적", "1\\. 목적"),
        ("2) 목적", "2\\) 목적"),
        ("<!-- page 3 -->", "\\<\\!-- page 3 -->"),
        ("<script>", "\\<script>"),
        ("[a](b)", "[a\\](b)"),
        ("*강조*", "\\*강조\\*"),
    ],
)
def test_what_is_markdown_or_html_by_accident_is_escaped(text: str, escaped: str) -> None:
    assert escape.paragraph(text) == escaped


@pytest.mark.parametrize("sign", ["\\", "`", "*", "_", "~", "<!", "&amp;", "](", "# ", "- "])
@pytest.mark.parametrize("write", [escape.paragraph, escape.heading, escape.cell])
def test_a_long_text_grows_to_twice_its_length_at_most(sign: str, write: Callable[[str], str]) -> None:
    assert len(write(sign * 20_000)) <= 2 * len(sign) * 20_000 + 2
