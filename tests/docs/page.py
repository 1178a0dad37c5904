"""A page of docs/ that can be followed: its files, its commands, and what they print."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_BLOCK = re.compile(r"(?:^`(?P<file>[^`\n]+)`\n\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_ANYTHING = "…"


@dataclass(frozen=True)
class Step:
    """One thing that the page tells its reader to do."""

    kind: str
    """"diff" or "sh", or else the language of a file."""

    text: str
    file: str = ""
    """The file that the text is, or that a diff changes."""

    prints: list[str] = field(default_factory=list)
    """What the page shows as the command's output."""


def steps(page: Path) -> list[Step]:
    """A page's steps in order: a block below a file's name is that file, one of `text` is what the last step prints."""
    found: list[Step] = []
    for match in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        kind, text, file = match["kind"], match["text"], match["file"] or ""
        if kind == "text":
            found[-1].prints.append(text)
        else:
            assert kind == "sh" or file, f"a block of {kind} names no file:\n{text}"
            found.append(Step(kind, text, file))
    return found


def patched(content: str, diff: str) -> str:
    """A file after a change whose hunks carry no line numbers.

    Raises:
        AssertionError: when the lines that a hunk shows do not stand in the file exactly once.
    """
    for hunk in filter(None, re.split(r"^@@.*\n", diff, flags=re.MULTILINE)):
        before = "".join(_side(hunk, " -"))
        assert content.count(before) == 1, f"these lines do not stand in the file once:\n{before}"
        content = content.replace(before, "".join(_side(hunk, " +")))
    return content


def must_show(printed: str, shown: str) -> None:
    """Fails unless every line that the page shows was printed; `…` in it stands for anything."""
    for line in filter(None, shown.splitlines()):
        pattern = ".*".join(map(re.escape, line.rstrip().split(_ANYTHING)))
        assert re.search(pattern, printed), f"the page shows\n{line}\nand this was printed:\n{printed}"


def _side(hunk: str, marks: str) -> Iterator[str]:
    """The lines of a hunk with one of these marks, without them; an empty line is one of both sides."""
    for line in hunk.splitlines(keepends=True):
        if line == "\n":
            yield line
        elif line[0] in marks:
            yield line[1:]
