"""Documents with one damage each, made from seeds: what a disk, a bad writer or an attacker makes of a good one.

A half of them is unpacked first, since a byte that changes in a packed stream seldom does more than end it.
"""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path

from services.pdf.worker.mupdf import mupdf, pymupdf

_MOST_BYTES = 400_000
"""Of a file; damage to larger ones says no more, and unpacked they may be a hundred times as large."""

_HEAD = 16
"""Bytes at the beginning that stay: what is no PDF is not even stored."""

_OBJECT = re.compile(rb"(?<!\d)(\d+) \d+ obj\b.*?\bendobj", re.DOTALL)
_REFERENCE = re.compile(rb"(?<!\d)\d+ \d+ R\b")
_NUMBER = re.compile(rb"(?<![\w#.<-])-?\d+(?:\.\d+)?(?![\w#.>])")
_NAME = re.compile(rb"/[A-Za-z][A-Za-z0-9]*")

_NUMBERS = (
    b"0",
    b"-1",
    b"1",
    b"0.00001",
    b"255",
    b"65536",
    b"2147483647",
    b"-2147483648",
    b"4294967296",
    b"1" + b"0" * 30,
)

_Damage = Callable[[random.Random, bytes], bytes]


def damaged(paths: Sequence[Path], count: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """So many documents, each with a name that says of which file it is made, and how; always the same ones."""
    kept = [path for path in paths if path.stat().st_size <= _MOST_BYTES]
    for number, path in enumerate(islice(cycle(kept), count)):
        chance = random.Random(f"{seed}-{number}")  # noqa: S311  # the same documents each time
        content = path.read_bytes()
        is_unpacked = chance.random() < 0.5  # noqa: PLR2004  # a half
        if is_unpacked:
            content = _unpacked(content)
        damage = chance.choice(_KINDS)
        yield f"{number} {path.name}{' unpacked' if is_unpacked else ''} {damage.__name__[1:]}", damage(chance, content)


def _flipped(chance: random.Random, content: bytes) -> bytes:
    """Some bytes are others."""
    changed = bytearray(content)
    for _ in range(chance.choice((1, 3, 10, 50))):
        changed[chance.randrange(min(_HEAD, len(content) - 1), len(content))] = chance.randrange(256)
    return bytes(changed)


def _truncated(chance: random.Random, content: bytes) -> bytes:
    return content[: chance.randrange(min(_HEAD, len(content) - 1), len(content))]


def _removed(chance: random.Random, content: bytes) -> bytes:
    """An object is gone."""
    found = list(_OBJECT.finditer(content))
    if not found:
        return _truncated(chance, content)
    gone = chance.choice(found)
    return content[: gone.start()] + content[gone.end() :]


def _duplicated(chance: random.Random, content: bytes) -> bytes:
    """An object stands in the place of another too, so that what refers to it meets something else, or itself."""
    found = list(_OBJECT.finditer(content))
    if not found:
        return _flipped(chance, content)
    one, other = chance.choice(found), chance.choice(found)
    again = other[1] + one[0][len(one[1]) :]
    return content[: other.start()] + again + content[other.end() :]


def _referred(chance: random.Random, content: bytes) -> bytes:
    """A reference leads elsewhere."""
    return _exchanged(chance, content, _REFERENCE)


def _renamed(chance: random.Random, content: bytes) -> bytes:
    """A name is another of the file's."""
    return _exchanged(chance, content, _NAME)


def _numbered(chance: random.Random, content: bytes) -> bytes:
    """Some numbers are extreme."""
    found = list(_NUMBER.finditer(content))
    if not found:
        return _flipped(chance, content)
    for each in sorted(chance.sample(found, min(3, len(found))), key=re.Match.start, reverse=True):
        content = content[: each.start()] + chance.choice(_NUMBERS) + content[each.end() :]
    return content


def _exchanged(chance: random.Random, content: bytes, what: re.Pattern[bytes]) -> bytes:
    found = list(what.finditer(content))
    if not found:
        return _flipped(chance, content)
    one, other = chance.choice(found), chance.choice(found)
    return content[: one.start()] + other[0] + content[one.end() :]


_KINDS: Sequence[_Damage] = (_flipped, _truncated, _removed, _duplicated, _referred, _renamed, _numbered)


def _unpacked(content: bytes) -> bytes:
    """The same document without packed streams; as it is where it cannot be opened."""
    try:
        with pymupdf.open(stream=content, filetype="pdf") as document:
            unpacked: bytes = document.tobytes(expand=255, no_new_id=True)
    except (RuntimeError, ValueError, mupdf.FzErrorBase):
        return content
    return unpacked if len(unpacked) <= 10 * _MOST_BYTES else content
