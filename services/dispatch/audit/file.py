"""One chain of the audit log on disk, open for writing."""

import os
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.base.audit_chain import BEFORE_THE_FIRST, SUFFIX, AuditKey, Chain, Head

_OWNER_ONLY = 0o600
_MAX_UNWRITTEN_BYTES = 1024 * 1024


class ChainFile:
    """Writes each line with a system call of its own, so that a killed process loses none.

    Lines that cannot be written wait here in order, and are written first once writing works again.
    """

    def __init__(self, folder: Path, replica: str, key: AuditKey) -> None:
        """Creates the file, readable by its owner only.

        Raises:
            OSError: when it cannot be created.
        """
        name = f"{replica}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL
        self._descriptor = os.open(folder / f"{name}{SUFFIX}", flags, _OWNER_ONLY)
        self._chain = Chain(name, key)
        self._unwritten = b""
        self.head = Head(0, BEFORE_THE_FIRST)
        """The last complete line in the file."""
        self.size = 0
        """Bytes in the file."""
        self.synced = 0
        """How many of them are certainly on the disk."""

    @property
    def name(self) -> str:
        """The chain's name."""
        return self._chain.name

    @property
    def is_written(self) -> bool:
        """Whether all lines are in the file."""
        return not self._unwritten

    @property
    def has_room(self) -> bool:
        """Whether less than a mebibyte of lines is waiting."""
        return len(self._unwritten) < _MAX_UNWRITTEN_BYTES

    def append(self, fields: dict[str, Any]) -> None:
        """Seals a line and writes it.

        Raises:
            OSError: when it could not be written; then it waits.
        """
        waiting = bool(self._unwritten)
        self._unwritten += self._chain.seal({"time": _now(), **fields})
        if not waiting:  # else the disk is asked again by `write`, and not by every call
            self.write()

    def write(self) -> None:
        """Writes the lines that wait.

        Raises:
            OSError: when none or only some could be written.
        """
        while self._unwritten:
            written = os.write(self._descriptor, self._unwritten)
            self._unwritten = self._unwritten[written:]
            self.size += written
        self.head = Head(self._chain.n, self._chain.mac)

    def sync(self) -> None:
        """Waits until the file's content is on the disk; safe in a thread.

        Raises:
            OSError: when the disk failed.
        """
        size = self.size
        os.fsync(self._descriptor)
        self.synced = size

    def close(self) -> None:
        """Closes the file."""
        os.close(self._descriptor)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
