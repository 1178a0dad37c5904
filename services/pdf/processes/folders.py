"""The private folders of workers: each is there before its worker, and goes when that has ended, however it ended."""

import asyncio
import itertools
import shutil
from contextlib import suppress
from pathlib import Path

PATTERN = "worker-*"
"""The names of what an earlier service process may have left in its work folder."""

_PAUSE = 0.05
_ATTEMPTS = 40


class Folders:
    """Folders for the workers of one kind, below `work_dir`; none, each named "", if they are not `wanted`."""

    def __init__(self, work_dir: Path, kind: str, *, wanted: bool) -> None:
        self._work_dir = work_dir.absolute()  # a zygote stands elsewhere
        self._wanted = wanted
        self._names = (f"worker-{kind}-{number}" for number in itertools.count(1))
        self._of_workers: dict[int, str] = {}
        """By process id."""

        self._there: set[str] = set()

    def make(self) -> str:
        """A new folder, for this user alone; raises OSError."""
        if not self._wanted:
            return ""
        folder = self._work_dir / next(self._names)
        self._work_dir.mkdir(mode=0o700, exist_ok=True)  # somebody may have removed it
        folder.mkdir(mode=0o700)
        self._there.add(str(folder))
        return str(folder)

    def give(self, folder: str, pid: int) -> None:
        """Notes whose it is."""
        self._of_workers[pid] = folder

    def take_from(self, pid: int) -> None:
        """Removes the folder of a process that has ended, with all that it started."""
        self.remove(self._of_workers.pop(pid, ""))

    def remove(self, folder: str) -> None:
        """Removes a folder with what is in it, as far as nothing still writes there."""
        if folder not in self._there:
            return
        with suppress(OSError):
            shutil.rmtree(folder)
            self._there.remove(folder)

    async def remove_all(self) -> None:
        """Removes every folder. Their workers are dying, but nobody tells when they have ended, so it may have to wait.

        What a failing disk keeps goes when the service restarts.
        """
        self._of_workers.clear()
        for _ in range(_ATTEMPTS):
            for folder in list(self._there):
                self.remove(folder)
            if not self._there:
                return
            await asyncio.sleep(_PAUSE)
