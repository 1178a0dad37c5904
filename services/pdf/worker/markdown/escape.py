"""Text of a document in Markdown: what would be Markdown or HTML by accident is escaped, and nothing else.

By CommonMark 0.31 and GitHub's additions to it (https://spec.commonmark.org/0.31.2, https://github.github.com/gfm):
tables, and text struck through with one tilde or two. A sign that needs a partner and has none is left alone.
"""

import re
from collections import Counter

_RUNS = "`*_~"
_SPECIAL = re.compile(r"[\\`*_~\]<&]")
_INLINE = re.compile(
    r"\\(?=[!-/:-@\[-`{-~]|$)"  # a backslash before what it would escape
    r"|`+|\*+|_+|~+"
    r"|\](?=[(:])"  # a link, or what one leads to
    r"|<(?=[A-Za-z/?])|<!"  # a tag, an address, a comment
    r"|&(?=#?\w{1,32};)"  # a character by its name or number
)
_OPENS_BLOCK = re.compile(
    r"(?P<number>[0-9]{1,9})[.)](?=\s|$)"  # an item of a list
    r"|(?:[-+*]|\#{1,6})(?=\s|$)|>|`{3,}|~{3,}"
    r"|(?P<rule>[-_*])(?:\s*(?P=rule)){2,}\s*$"
    r"|\[[ xX]\](?=\s|$)"  # a task, at the start of an item
)
_CLOSES_HEADING = re.compile(r"(?:^|(?<=\s))#+$")


def inline(text: str, *, in_runs: bool = False) -> str:
    """One line of text as part of a block; `in_runs` if what surrounds it has asterisks."""
    if not _SPECIAL.search(text):
        return text
    counts = Counter(dict.fromkeys(_RUNS, 2) if in_runs else {})
    counts.update(found[0][0] for found in _INLINE.finditer(text))
    return _INLINE.sub(lambda found: _escaped(found, counts), text)


def paragraph(text: str) -> str:
    """One line of text as a paragraph, also one in an item of a list or in a quote."""
    escaped = inline(text)
    found = _OPENS_BLOCK.match(escaped)
    if found is None:
        return escaped
    at = found.end("number") if found["number"] else 0
    return f"{escaped[:at]}\\{escaped[at:]}"


def heading(text: str) -> str:
    """One line of text as a heading, after its number signs."""
    return _CLOSES_HEADING.sub(lambda found: f"\\{found[0]}", inline(text))


def cell(text: str) -> str:
    """One line of text as a cell of a table, or of a part of it."""
    return inline(text).replace("|", "\\|")


def _escaped(found: re.Match[str], counts: Counter[str]) -> str:
    said = found[0]
    if said[0] in _RUNS and (counts[said[0]] == 1 or _is_alone(found)):
        return said
    return "".join(f"\\{sign}" for sign in said)


def _is_alone(found: re.Match[str]) -> bool:
    """Whether a run of signs neither opens nor closes anything, by what is beside it."""
    text, sign = found.string, found[0][0]
    before, after = text[found.start() - 1 : found.start()], text[found.end() : found.end() + 1]
    if sign == "_":
        return before.isalnum() and after.isalnum()
    return sign != "`" and before == after == " "
