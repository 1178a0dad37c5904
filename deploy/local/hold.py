"""One supervisor per folder: a lock that ends with its process, however that ends."""

import fcntl
import os
from pathlib import Path

from deploy.local.processes import ProcessRecord
from services.base.errors import OperatorError


class HeldError(OperatorError):
    """Another supervisor holds the folder; the text names its process."""


class Hold:
    """The right to run parts from a folder."""

    def __init__(self, run: Path) -> None:
        """`run` is the folder of pid files."""
        self._lock_file = run / "supervisor.lock"
        self._record_file = run / "supervisor.json"
        self._lock: int | None = None

    @property
    def held(self) -> bool:
        """Whether this process has it."""
        return self._lock is not None

    @property
    def owner(self) -> ProcessRecord | None:
        """The process that took it last, if it is still running."""
        record = ProcessRecord.read(self._record_file)
        return record if record and record.runs else None

    def take(self) -> None:
        """Takes the folder.

        Raises:
            HeldError: when another supervisor has it.
        """
        lock = os.open(self._lock_file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            owner = self.owner  # read once: it may end at any moment
            process = f"process {owner.pid}" if owner else "another process"
            raise HeldError(f"Papermesh is already running, from {self._lock_file.parents[1]} ({process}).") from None
        self._lock = lock
        ProcessRecord.of("supervisor", os.getpid()).write(self._record_file)

    def release(self) -> None:
        """Leaves the folder to the next supervisor."""
        if self._lock is not None:
            self._record_file.unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None
