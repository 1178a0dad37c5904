"""The two streams of a terminal, text made safe for it, and progress while one waits.

A document's text, an error's message or a file's name may hold escape sequences, which could move the cursor, retitle
the window or worse. Everything that others wrote passes through one of the `harmless` functions on its way out.
"""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status
    from rich.table import Table

_PIPE_WIDTH = 1000
"""Columns without a terminal: a table in a file takes the room it needs, and never splits a digest."""

# The C1 controls, some of which terminals obey, the marks that change the writing direction, and half characters.
_ODD = "\x7f-\x9f\u061c\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_UNSAFE = re.compile(f"[\x00-\x08\x0b-\x1f{_ODD}]")
_UNSAFE_IN_JSON = re.compile(f"[{_ODD}]")


def harmless(text: str) -> str:
    """Text whose control characters are shown instead of obeyed; line feeds and tabs stay."""
    return _UNSAFE.sub("\ufffd", text.replace("\r\n", "\n"))


def harmless_value(value: Any) -> Any:
    """A JSON value with all its texts and names made harmless, ready to be drawn."""
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, dict):
        return {harmless(key): harmless_value(item) for key, item in value.items()}
    return [harmless_value(item) for item in value] if isinstance(value, list) else value


def harmless_json(text: str) -> str:
    """The same JSON value, with anything that a terminal could obey escaped (JSON itself escapes the rest)."""
    return _UNSAFE_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def out() -> "Console":
    """Standard output, for results."""
    return _console(stderr=False)


def err() -> "Console":
    """Standard error, for everything about a result."""
    return _console(stderr=True)


def table_of(*, header: bool = True) -> "Table":
    """An empty table in our style."""
    from rich import box
    from rich.table import Table

    return Table(
        box=box.SIMPLE_HEAD if header else None,
        show_header=header,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1) if header else (0, 2, 0, 0),
        collapse_padding=header,
        header_style="bold",
    )


def note(text: str) -> None:
    """One line about what is going on."""
    err().print(harmless(text), style="dim")


def write(text: str) -> None:
    """Text for standard output as it is, ended by a line feed."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
    sys.stdout.flush()


def write_json(text: str) -> None:
    """JSON text for standard output: byte for byte, except on a terminal, where it is made harmless."""
    write(harmless_json(text) if sys.stdout.isatty() else text)


@contextmanager
def opened_with_bar(file: Path) -> Iterator[BinaryIO]:
    """An open file, with a bar that shows how much of it has been read."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    console = err()
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with (
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress,
        progress.open(file, "rb", description=harmless(file.name)) as opened,
    ):
        yield opened


def waiting(text: str) -> "Status":
    """A spinner beside a few words for as long as its block lasts; nothing where nobody looks."""
    return err().status(harmless(text))


def _console(*, stderr: bool) -> "Console":
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    known = stream.isatty() or os.environ.get("COLUMNS", "").isdigit()
    return Console(
        stderr=stderr, width=None if known else _PIPE_WIDTH, highlight=False, markup=False, emoji=False, soft_wrap=False
    )
