"""Numbers in a text that follow from where something stands: of articles, of items, and of references to them."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

from services.pdf.worker.layout.numbering import Kind, read

Value: TypeAlias = tuple[int, ...]

_KOREAN = re.compile(r"제(?P<value>\d{1,4})(?P<unit>편|장|절|관|조|항|호)(?:의(?P<added>\d{1,3}))?")
_UNITS = {
    "편": "part",
    "장": "chapter",
    "절": "section",
    "관": "subsection",
    "조": "article",
    "항": "clause",
    "호": "item",
}
_NAMES = {
    "article": "article",
    "articles": "article",
    "section": "section",
    "sections": "section",
    "chapter": "chapter",
    "part": "part",
    "clause": "clause",
    "annex": "annex",
    "appendix": "annex",
    "schedule": "annex",
    "table": "table",
    "figure": "figure",
    "별표": "annex",
    "별지": "annex",
    "표": "table",
    "그림": "figure",
}
"""Words after which a number is that of a place, and of what kind."""

_NUMBER = re.compile(r"\(?(?P<value>\d{1,4}(?:\.\d{1,4}){0,5})")
_EDGES = "(\"'\u201c\u2018[,;"


class Reference(NamedTuple):
    """A number of a place as a text names it."""

    kind: str
    value: Value
    start: int
    """Of its digits in the word; `stop` is after the last."""

    stop: int


def references(words: Sequence[str]) -> Iterator[tuple[int, list[Reference]]]:
    """The words that name a place by its number, by their indices, with what they name."""
    before = ""
    for index, word in enumerate(words):
        found = [
            Reference(
                _UNITS[each["unit"]],
                (int(each["value"]), *([int(each["added"])] if each["added"] else [])),
                each.start("value"),
                each.end("added") if each["added"] else each.end("value"),
            )
            for each in _KOREAN.finditer(word)
        ]
        kind = _NAMES.get(before.lstrip(_EDGES).casefold())
        if not found and kind and (number := _NUMBER.match(word)):
            value = tuple(int(each) for each in number["value"].split("."))
            found = [Reference(kind, value, number.start("value"), number.end("value"))]
        if found:
            yield index, found
        before = word


def masked(words: Sequence[str]) -> list[str]:
    """The words with a sign for each number of a place."""
    found = list(words)
    for index, named in references(words):
        word = words[index]
        for each in reversed(named):
            word = f"{word[: each.start]}#{word[each.stop :]}"
        found[index] = word
    return found


class Label(NamedTuple):
    """The number with which a text begins."""

    kind: Kind
    value: Value
    marker: str
    """As it stands there."""

    words: int
    """How many words it takes; 0 where it is glued to the first one."""


def label_of(words: Sequence[str]) -> Label | None:
    """The number with which these words begin, if they do."""
    number = read(" ".join(words[:2]))
    if number is None:
        return None
    count = len(number.marker.split())
    stands_alone = " ".join(words[:count]).rstrip(".:") == number.marker.rstrip(".:")
    return Label(number.kind, number.value, number.marker, count if stands_alone else 0)


def follows(before: Value, value: Value) -> bool:
    """Whether a number is the next after another: 3 after 2, 3.1 after 3, 4 after 3.2."""
    if len(value) > len(before):
        return value[:-1] == before
    kept = len(value) - 1
    return value[:kept] == before[:kept] and value[kept] == before[kept] + 1
