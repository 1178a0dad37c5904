"""The words in what Tesseract writes.

Its TSV cuts Korean into fragments of one or two syllables, each with a box and a confidence; its text has the blanks
where they belong. Both come from one run, so their characters are the same, and a word of the text gets the boxes of
the fragments that it consists of.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from services.base.errors import too_large
from services.pdf.worker.ocr.picture import Box

MAX_FRAGMENTS = 20_000
"""On one page."""

_ROW = re.compile(r"(\d)\t\d+\t(\d+\t\d+\t\d+)\t\d+\t(-?\d+)\t(-?\d+)\t(-?\d+)\t(-?\d+)\t(-?[\d.]+)\t(.*)")
"""level, page, block and paragraph and line, word, left, top, width, height, confidence, text."""

_HEADER = "level\t"
_WORD = "5"


@dataclass(frozen=True, slots=True)
class Word:
    """A word, or a fragment of one."""

    text: str
    """Without blanks."""

    box: Box
    confidence: float
    """From 0 to 1."""

    fragments: "tuple[Word, ...]" = ()
    """Its characters, each with the confidence of the fragment that it is of; none for a fragment itself."""

    goes_on: bool = False
    """Whether the next word of its line follows without a blank, and is apart only to be read."""


Line = Sequence[Word]
"""From left to right; not empty."""


def lines_of(output: str) -> list[Line]:
    """The lines that Tesseract found, in its order.

    Raises PapermeshError TOO_LARGE when there are more than `MAX_FRAGMENTS`.
    """
    rows = output.split("\n")
    found = [_ROW.fullmatch(row) for row in rows]
    end = next(
        (index for index, row in enumerate(found) if row is None and not rows[index].startswith(_HEADER)), len(rows)
    )
    words = [row for row in found[:end] if row is not None and row[1] == _WORD and row[8].strip()]
    if len(words) > MAX_FRAGMENTS:
        raise too_large(f"The page has more than {MAX_FRAGMENTS} words.", limit_words=MAX_FRAGMENTS)
    fragments = [[_fragment(row) for row in line] for _, line in groupby(words, lambda row: row[2])]
    return list(_with_blanks(fragments, [row for row in rows[end:] if row.strip()]))


def joined(fragments: Line, text: str) -> Line:
    """The words of `text` with the boxes of these fragments; the fragments as they are if their characters differ.

    A word has the mean confidence of its characters. Where a blank parts a fragment, so it parts its box.
    """
    if "".join(fragment.text for fragment in fragments) != squeezed(text):
        return fragments
    characters = iter([character for fragment in fragments for character in _apart(fragment)])
    return [whole([next(characters) for _ in word]) for word in text.split()]


def squeezed(text: str) -> str:
    """The text without blanks."""
    return "".join(text.split())


def confidence_of(line: Line) -> float:
    """The mean over the characters, from 0 to 1."""
    return sum(word.confidence * len(word.text) for word in line) / sum(len(word.text) for word in line)


def characters_of(word: Word) -> list[Word]:
    """The word's characters, each with its share of the box and the confidence of its fragment."""
    return list(word.fragments or _apart(word))


def _fragment(row: re.Match[str]) -> Word:
    left, top, width, height = (int(row[group]) for group in (3, 4, 5, 6))
    confidence = min(100.0, max(0.0, float(row[7]))) / 100
    return Word(squeezed(row[8]), (left, top, left + width, top + height), confidence)


def _with_blanks(lines: list[list[Word]], texts: list[str]) -> Iterator[Line]:
    """Each line with the next text that has its characters."""
    position = 0
    for line in lines:
        characters = "".join(word.text for word in line)
        same = next((at for at in range(position, len(texts)) if squeezed(texts[at]) == characters), None)
        if same is None:
            yield line
        else:
            yield joined(line, texts[same])
            position = same + 1


def _apart(word: Word) -> Iterator[Word]:
    """The word's characters, each with its share of the box."""
    left, top, right, bottom = word.box
    each = (right - left) / len(word.text)
    for index, character in enumerate(word.text):
        yield Word(character, (left + index * each, top, left + (index + 1) * each, bottom), word.confidence)


def whole(characters: Line) -> Word:
    """The word of these characters."""
    lefts, tops, rights, bottoms = zip(*(character.box for character in characters), strict=True)
    text = unicodedata.normalize("NFC", "".join(character.text for character in characters))
    return Word(text, (min(lefts), min(tops), max(rights), max(bottoms)), confidence_of(characters), tuple(characters))
