"""The pages' sentences are short enough to be read once."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.conftest import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
MOST_WORDS = 35

_MARKDOWN = MarkdownIt("commonmark").enable("table")
_END = re.compile(r"(?<=[.!?])\s+|(?<=[.!?][)\"'])\s+")
_WORD = re.compile(r"\S*\w\S*")
_CODE = "CODE"


def sentences(page: str) -> Iterator[str]:
    """The sentences of a page's paragraphs and list items: no code blocks, tables, headings or comments."""
    for before, token in pairwise(_MARKDOWN.parse(page)):
        if before.type == "paragraph_open":
            yield from _END.split(_prose(token))


def _prose(paragraph: Token) -> str:
    """What a paragraph says: a span of code counts as one word, and a link as its text."""
    instead = {"code_inline": _CODE, "softbreak": " ", "hardbreak": " "}
    return "".join(instead.get(part.type, part.content) for part in paragraph.children or ())


def too_long(page: str) -> list[str]:
    return [sentence for sentence in sentences(page) if len(_WORD.findall(sentence)) > MOST_WORDS]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_sentence_has_more_than_35_words(page: Path) -> None:
    assert too_long(page.read_text(encoding="utf-8")) == []


def test_a_sentence_of_36_words_is_found_in_paragraphs_and_lists() -> None:
    long = " ".join(["word"] * 35)
    assert too_long(f"# Title\n\nShort. {long}\n`some code`. Short.\n\n- {long} [link](#x).\n") == [
        f"{long} {_CODE}.",
        f"{long} link.",
    ]


def test_code_tables_headings_and_comments_have_no_sentences() -> None:
    long = " ".join(["word"] * 40)
    assert too_long(f"# {long}\n\n```\n{long}\n```\n\n| a |\n|---|\n| {long} |\n\n<!-- {long} -->\n") == []


def test_a_full_stop_inside_a_name_or_a_number_ends_no_sentence() -> None:
    assert list(sentences("Envoy 1.40 reads `a. B` and envoy.yaml. dispatch does not. (So it is.) Yes.")) == [
        "Envoy 1.40 reads CODE and envoy.yaml.",
        "dispatch does not.",
        "(So it is.)",
        "Yes.",
    ]
