"""What moves while one waits: a bar for an upload, a spinner for a call. Only on a terminal, and on standard error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from cli.terminal import err, harmless


@contextmanager
def upload_bar(file: Path) -> Iterator[Callable[[int], None]]:
    """A bar that shows how much of a file has been sent; yields what to tell it."""
    console = err()
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(harmless(file.name), total=file.stat().st_size)
        yield lambda sent: progress.update(task, completed=sent)


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """A spinner beside a few words."""
    console = err()
    if not console.is_terminal:
        yield
        return
    with console.status(harmless(text)):
        yield
