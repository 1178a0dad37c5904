"""Processes identified by more than their pid: a pid is reused one day, and its new owner must not be ended."""

import json
import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

_POLL_S = 0.05
_KILLED_WITHIN_S = 2.0


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """The content of a pid file: a process, and what tells it from every other with the same number."""

    name: str
    pid: int
    started: str

    @classmethod
    def of(cls, name: str, pid: int) -> Self:
        """The process that has this number now."""
        return cls(name, pid, _started(pid) or "")

    @classmethod
    def read(cls, file: Path) -> Self | None:
        """The process in a pid file; None if there is no file, or a crash left half of one."""
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            return cls(str(content["name"]), int(content["pid"]), str(content["started"]))
        except (OSError, ValueError, LookupError, TypeError):
            return None

    def write(self, file: Path) -> None:
        """Writes the pid file, whole or not at all."""
        new = file.with_suffix(".new")
        new.write_text(json.dumps(asdict(self)), encoding="utf-8")
        new.replace(file)

    @property
    def runs(self) -> bool:
        """Whether that same process still runs."""
        return self.started != "" and _started(self.pid) == self.started

    def send(self, number: signal.Signals) -> None:
        """Signals the process, if it is still the same one."""
        if self.runs:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill_group(self) -> None:
        """Ends the process and its children at once, if it is still the same one."""
        if self.runs:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)


def end(records: Iterable[ProcessRecord], grace_s: float) -> None:
    """Asks the processes to end, and after `grace_s` seconds kills those that have not."""
    left = [record for record in records if record.runs]
    for record in left:
        record.send(signal.SIGINT)  # they go as a whole, so none has to tell its callers first
    left = _wait(left, grace_s)
    for record in left:
        record.kill_group()
    _wait(left, _KILLED_WITHIN_S)


def _wait(records: list[ProcessRecord], limit_s: float) -> list[ProcessRecord]:
    """Waits until the processes have ended, for at most `limit_s` seconds, and returns those that have not."""
    deadline = time.monotonic() + limit_s
    while (left := [record for record in records if record.runs]) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return left


def _started(pid: int) -> str | None:
    """When the process with this number started, in the system's own words; None if there is none."""
    stat = Path("/proc", str(pid), "stat")
    try:
        # The second field is the program's name in parentheses, and may itself hold spaces and parentheses.
        fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None
    state, ticks = fields[0], fields[19]
    # A zombie has ended; only its parent has not asked yet.
    return None if state in "ZX" else f"{boot} {ticks}"
