"""A query as an RE2 pattern: RE2 takes time in proportion to the text, whatever the pattern and whoever wrote it."""

import unicodedata
from itertools import pairwise
from typing import Any

import re2

from services.base.errors import PapermeshError, bad_field
from services.pdf.worker.search.folding import fold_letters
from services.pdf.worker.search.spelling import EITHER, HYPHEN
from services.pdf.worker.strings import fit

_MOST_STEPS = 30_000
"""Of a compiled pattern. Time grows with them too, and "((a{100}){10}){10}" is short."""

_MOST_BYTES = 8 << 20
"""Of memory for a pattern and what RE2 makes of it while it searches."""

_BYTES_TO_PARSE = 1 << 12
"""Enough to learn what is wrong with a pattern: none is to be searched with it."""

_CUT = f"[{EITHER}{HYPHEN}]?"
"""Between two letters of a word: the end of a line."""

_BLANK = f"[ {EITHER}]"

Pattern = Any
"""As `re2.compile` makes it; the package publishes no types."""


def of_words(query: str) -> Pattern:
    """What finds these words in a folded text; raises BAD_ARG if there are none."""
    words = fold_letters(fit(query)).split()
    if not words:
        raise bad_field("query", "has no letter, digit or sign to look for")
    pattern = _spelled(words[0])
    for before, word in pairwise(words):
        blank = f"(?:-{_BLANK}|{HYPHEN})" if before.endswith("-") else _BLANK
        if before.endswith("-"):
            pattern = pattern.removesuffix(_spelled("-"))
        pattern += blank + _spelled(word)
    return _compiled(pattern)


def of_expression(query: str) -> Pattern:
    """What finds a regular expression in a plain text. Raises BAD_ARG with the position of what is wrong with it."""
    expression = unicodedata.normalize("NFC", query)
    try:
        compiled = _compiled(expression)
        if compiled.fullmatch(b"") is not None:
            raise bad_field("query", 'matches the empty text, so it would match everywhere; write "+" instead of "*"')
        if compiled.programsize > _MOST_STEPS:
            raise bad_field("query", "is too complex: use fewer or smaller repetitions")
        return _compiled(f"(?m){expression}")
    except re2.error as error:
        raise _invalid(expression, error) from None


def _spelled(word: str) -> str:
    return _CUT.join(f"(?:-|{HYPHEN})" if letter == "-" else re2.escape(letter) for letter in word)


def _compiled(pattern: str, most_bytes: int = _MOST_BYTES) -> Pattern:
    options = re2.Options()
    options.max_mem = most_bytes
    options.log_errors = False
    options.never_capture = True
    return re2.compile(pattern, options)


def _invalid(expression: str, error: Exception) -> PapermeshError:
    said = error.args[0].decode("utf-8", "replace")
    at = _position(expression, said)
    place = f" (at character {at})" if at else ""
    return bad_field("query", f"is no valid regular expression of RE2: {said}{place}")


def _position(expression: str, said: str) -> int:
    """The character, from 1, where an expression goes wrong; 0 if RE2 does not say.

    RE2 names what is wrong and, mostly, the piece it means. That piece ends where the shortest beginning of the
    expression ends that has the same fault.
    """
    kind, _, piece = said.partition(": ")
    if not piece:
        return len(expression) if kind.startswith("trailing") else 0
    if kind in {"missing )", "missing ]"}:  # it names all that it has read
        return len(expression) - (len(piece) if kind == "missing ]" else 0) + 1
    for end in range(1, len(expression) + 1):
        found = _fault(expression[:end])
        if kind == "unexpected )" and found.startswith(kind):  # it names all of the expression
            return end
        if found == said:
            return end - len(piece) + 1
    return 0


def _fault(expression: str) -> str:
    try:
        _compiled(expression, _BYTES_TO_PARSE)
    except re2.error as error:
        return str(error.args[0].decode("utf-8", "replace"))
    return ""
