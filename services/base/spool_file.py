"""A file of our own in which something waits until it is complete."""

import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.base.own_faults import Disk, using

_OWNER_ONLY = 0o700


class SpoolFile:
    """What was written so far. Not buffered: what the disk refuses is refused while it is written, and not later.

    Every method raises PapermeshError, UNAVAILABLE, when the disk fails.
    """

    def __init__(self, file: io.FileIO, path: Path) -> None:
        self._file = file
        self.path = path
        """Where it is; the folder, when it has no name."""

    def write(self, piece: bytes) -> None:
        """Adds to the file."""
        rest = memoryview(piece)
        with using(Disk.SPOOL):
            while rest:
                rest = rest[self._file.write(rest) :]

    def rewind(self) -> None:
        """Has `read` begin at the start."""
        with using(Disk.SPOOL):
            self._file.seek(0)

    def read(self, size: int) -> bytes:
        """At most `size` of the next bytes; none at the end."""
        with using(Disk.SPOOL):
            return self._file.read(size)


@contextmanager
def spool_file(folder: Path, prefix: str = "") -> Iterator[SpoolFile]:
    """A file for as long as the block lasts. A folder that somebody has removed is made again.

    Its name begins with `prefix`. Without one it has no name, and nothing is left of it however the process ends.

    Raises:
        PapermeshError: UNAVAILABLE when it cannot be made.
    """
    with using(Disk.SPOOL):
        try:
            file, path = _open(folder, prefix)
        except FileNotFoundError:
            folder.mkdir(mode=_OWNER_ONLY, exist_ok=True)
            file, path = _open(folder, prefix)
    try:
        yield SpoolFile(file, path)
    finally:
        with using(Disk.SPOOL):
            file.close()
            if prefix:
                path.unlink(missing_ok=True)


def _open(folder: Path, prefix: str) -> tuple[io.FileIO, Path]:
    if prefix:
        descriptor, name = tempfile.mkstemp(prefix=prefix, dir=folder)
        return os.fdopen(descriptor, "w+b", buffering=0), Path(name)
    return tempfile.TemporaryFile(dir=folder, buffering=0), folder
