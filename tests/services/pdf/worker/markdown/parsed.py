"""Markdown taken apart again by a parser that is not ours."""

import html
import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

_PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_TAG = re.compile(r"<!--.*?-->|</?(?:table|thead|tbody|tr|th|td|pre)[^>]*>|<br>")


def tokens_of(markdown: str) -> list[Token]:
    return _PARSER.parse(markdown)


def words_of(markdown: str) -> list[str]:
    """All words that a reader sees, those in HTML's tables included."""
    return [word for token in tokens_of(markdown) for text in _texts(token) for word in text.split()]


def outline_of(markdown: str) -> list[tuple[str, str]]:
    """Each block that has text, by the kind of its parent, and its text."""
    found, tokens = [], tokens_of(markdown)
    for at, token in enumerate(tokens):
        if token.type == "inline":
            parents = [each.tag for each in _open_at(tokens[:at]) if each.tag not in {"p", "ul", "ol", "table", "tr"}]
            found.append(("/".join(parents), " ".join("".join(_texts(token)).split())))
        elif token.type in {"html_block", "fence"}:
            found.append((token.type, token.content.rstrip("\n")))
    return found


def _open_at(tokens: list[Token]) -> list[Token]:
    opened: list[Token] = []
    for token in tokens:
        if token.nesting > 0:
            opened.append(token)
        elif token.nesting < 0:
            opened.pop()
    return opened


def _texts(token: Token) -> Iterator[str]:
    if token.type in {"html_block", "html_inline"}:
        yield html.unescape(_TAG.sub(" ", token.content))
    elif token.children is not None:
        for child in token.children:
            yield from _texts(child)
    else:
        yield token.content
