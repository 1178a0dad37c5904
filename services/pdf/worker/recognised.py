"""What text recognition read on a page, at its places, and where it stands among what the text layer has."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from services.pdf.worker.boxes import Box
from services.pdf.worker.placed import PlacedLetter
from services.pdf.worker.strings import fold

_SPECK = 0.3
"""Confidence below which a single character is dirt."""

_LEGIBLE = 0.4
"""Mean confidence below which a part of a page is no text that can be read: photographs have .27 to .37, and so has
text in a script that was not asked for."""

_COVERED = 0.5
"""Share of a word under letters of the layer if these are what a reader sees there."""

_ALIKE = 0.6
"""How much of its text is the layer's if it stands there already (difflib's ratio)."""

_TALLER = 2.2
"""By how much letters of the layer may be taller than a word, and still be read as it; a large stamp covers others."""

_CELL = 32.0
"""Points of the grid by which letters near a word are found."""

_MOST_CELLS = 1000
"""Of that grid under one word; what is larger is none."""

_LONGER = 2.4
"""By how much the layer's text at a word's place may be longer, if they can be alike."""

_MOST_COMPARED = 1_000_000
"""Pairs of lines that are compared to put them in order; with more, their height on the page decides."""


class Word(NamedTuple):
    """A word as it was recognised."""

    text: str
    box: Box
    confidence: float
    """From 0 to 1."""


class Recognised(NamedTuple):
    """The words that count, line by line in reading order."""

    lines: list[list[Word]]

    illegible: list[list[Word]]
    """Those of parts that are no text as far as can be told, such as photographs. They do not count."""


def take(page: Mapping[str, Any], areas: Sequence[Box], layer: Sequence[PlacedLetter]) -> Recognised:
    """The words of a recognised page.

    Args:
        page: As an OCR worker gives it, and within the bounds of `services.pdf.recognised_page`: `dpi` of the picture,
            and `lines` of `words` with `text`, `confidence` and their box, `x0` to `y1`, in pixels.
        areas: The parts of the page, in points, that were to be read; all of it if there are none. Words elsewhere do
            not count.
        layer: The letters of the text layer. A word that is there already does not count: its text is alike, or the
            layer's letters are what a reader sees at its place.
    """
    near = _Letters(layer)
    parts: defaultdict[Box | None, list[list[Word]]] = defaultdict(list)
    lines = []
    for each in page["lines"]:
        words = [
            word
            for word in _words(each["words"], 72 / page["dpi"])
            if not (len(word.text) == 1 and word.confidence < _SPECK)
            and not (areas and _area_of(word.box, areas) is None)
            and not near.have(word)
        ]
        if words:
            lines.append(words)
            parts[_area_of(words[0].box, areas)].append(words)
    unread = [part for part in parts.values() if confidence_of(part) < _LEGIBLE]
    illegible = [line for part in unread for line in part]
    dropped = set(map(id, illegible))
    return Recognised([line for line in lines if id(line) not in dropped], illegible)


def confidence_of(lines: Iterable[Sequence[Word]]) -> float:
    """The mean confidence of the characters, from 0 to 1; 1 if there are none."""
    words = [word for line in lines for word in line]
    characters = sum(len(word.text) for word in words)
    return certain_in(lines) / characters if characters else 1.0


def certain_in(lines: Iterable[Sequence[Word]]) -> float:
    """How many of the characters are right, by their confidence."""
    return sum(len(word.text) * word.confidence for line in lines for word in line)


def arrange(read: Sequence[Box], own: Sequence[Box], areas: Sequence[Box]) -> list[tuple[bool, int]]:
    """The order of recognised lines and of the layer's own by their places: whether it is one of these, and which.

    Recognised lines keep their order, which knows of columns. A line of the layer stands before the first one that is
    below it in the same area, or before the first area that is below it or to its right.
    """
    if len(read) * len(own) > _MOST_COMPARED:
        places = [
            (box, (is_own, index)) for is_own in (False, True) for index, box in enumerate(own if is_own else read)
        ]
        return [line for _, line in sorted(places, key=lambda place: (place[0].middle[1], place[0].x0))]
    homes = [_area_of(box, areas) for box in read]
    before: defaultdict[int, list[tuple[bool, int]]] = defaultdict(list)
    for index, box in enumerate(own):
        before[_place(box, read, homes, _area_of(box, areas))].append((True, index))
    arranged = [line for index in range(len(read)) for line in (*before[index], (False, index))]
    return arranged + before[len(read)]


def _words(words: Iterable[Mapping[str, Any]], scale: float) -> Iterator[Word]:
    for each in words:
        box = Box(each["x0"] * scale, each["y0"] * scale, each["x1"] * scale, each["y1"] * scale)
        for text in fold(each["text"]).split():
            yield Word(text, box, min(max(float(each["confidence"]), 0.0), 1.0))


def _area_of(box: Box, areas: Sequence[Box]) -> Box | None:
    return next((area for area in areas if area.holds(box.middle)), None)


def _place(box: Box, read: Sequence[Box], homes: Sequence[Box | None], home: Box | None) -> int:
    """Before which of the recognised lines a line of the layer stands, by its index."""
    _, y = box.middle
    if home in homes:
        own = [index for index, each in enumerate(homes) if each == home]
        below = (
            index for index in own if read[index].middle[1] > y and read[index].x0 < box.x1 and box.x0 < read[index].x1
        )
        above = [index for index in own if read[index].middle[1] <= y]
        return next(below, above[-1] + 1 if above else own[0])
    after = (
        index
        for index, area in enumerate(homes)
        if area and (area.y0 >= y or (area.x0 >= box.x1 - _CELL and area.y1 > y))
    )
    return next(after, len(read))


class _Letters:
    """The letters of the layer, by their places."""

    def __init__(self, letters: Iterable[PlacedLetter]) -> None:
        self._cells: defaultdict[tuple[int, int], list[PlacedLetter]] = defaultdict(list)
        for letter in letters:
            x, y = letter.box.middle
            self._cells[int(x // _CELL), int(y // _CELL)].append(letter)

    def have(self, word: Word) -> bool:
        """Whether the word is there already."""
        there = list(self._at(word.box))
        if not there:
            return False
        seen = sum(letter.box.common(word.box).area for letter in there if letter.visible)
        if seen >= _COVERED * word.box.area:
            return True
        if len(there) > _LONGER * len(word.text):
            return False
        text = "".join(letter.text for letter in sorted(there, key=lambda letter: letter.box.x0))
        return SequenceMatcher(None, text, word.text, autojunk=False).ratio() >= _ALIKE

    def _at(self, box: Box) -> Iterator[PlacedLetter]:
        """The letters of about the same height whose middle is inside; the box of letters is taller than their ink."""
        tall = box.y1 - box.y0
        place = Box(box.x0 - tall / 4, box.y0 - tall / 2, box.x1 + tall / 4, box.y1 + tall / 2)
        columns = range(int(place.x0 // _CELL), int(place.x1 // _CELL) + 1)
        rows = range(int(place.y0 // _CELL), int(place.y1 // _CELL) + 1)
        if len(columns) * len(rows) > _MOST_CELLS:
            return
        for column in columns:
            for row in rows:
                for letter in self._cells.get((column, row), ()):
                    if place.holds(letter.box.middle) and letter.box.y1 - letter.box.y0 <= _TALLER * tall:
                        yield letter
