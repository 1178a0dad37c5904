"""A file that is read again when it changes, so that keys and rights change without a restart."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

_log = logging.getLogger(__name__)

T = TypeVar("T")
_Stat = tuple[int, int, int, int, int]


class WatchedFile(Generic[T]):
    """What a file says, kept up to date while `watch` runs.

    A file that is gone, unreadable or wrong changes nothing: the last good value stays, the log has one line about it,
    and the file is tried again until it is good.
    """

    def __init__(self, path: Path, read: Callable[[Path], T], every_s: float = 1.0) -> None:
        """Reads the file for the first time.

        Args:
            path: The file. It may be reached through links: what counts is the file behind them, so that the exchange
                of a link above it, as the kubelet does for a mounted Secret, is a change too.
            read: Reads it. It runs on the event loop, so the file is small. The texts of its errors are logged: they
                must not repeat what the file holds.
            every_s: Seconds between two looks at the file.

        Raises:
            Exception: what `read` raises: without a first value there is nothing to keep.
        """
        self._path = path
        self._read = read
        self._every_s = every_s
        self._seen = _stat(path)
        self._settled = False
        self._failed = False
        self._value = read(path)

    @property
    def value(self) -> T:
        """The last good value. It is the same object until the file says something else."""
        return self._value

    async def watch(self) -> None:
        """Looks at the file until cancelled."""
        while True:
            await asyncio.sleep(self._every_s)
            self._look()

    def _look(self) -> None:
        seen = _stat(self._path)
        changed = seen != self._seen
        if self._settled and not changed:
            return
        self._seen = seen
        try:
            value = self._read(self._path)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the file, the last good value stays
            if changed or not self._failed:
                _log.error("%s cannot be used. The last good content stays in force: %s", self._path, _reason(error))
            self._settled, self._failed = False, True
            return
        if self._failed or value != self._value:
            _log.info("%s was read again", self._path)
        if value != self._value:
            self._value = value
        # A file is read once more after its last change: a second write in the same tick of the file system's clock
        # leaves no trace in stat.
        self._settled, self._failed = not changed, False


def _stat(path: Path) -> _Stat | None:
    """What changes with the file, taken before it is read, so that a later write shows; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _reason(error: Exception) -> str:
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else str(error) or type(error).__name__
