"""Ends the parts if their supervisor was killed or crashed before it could stop them.

A child of the supervisor that holds the other end of a pipe, which closes with the supervisor, whatever ended it. It
works from the pid files, so it does not matter which thread started a part.
"""

import signal
import subprocess
import sys
from pathlib import Path

from deploy.local.processes import ProcessRecord, end

_GRACE_S = 5.0


class Guardian:
    """The supervisor's end of the pipe."""

    def __init__(self, run: Path) -> None:
        """Starts the guardian of the pid files in `run`."""
        # S603: this module, under this interpreter. A session of its own: Ctrl-C must not reach it before the parts.
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "deploy.local.guardian", str(run)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def dismiss(self) -> None:
        """Lets it end once the parts have been stopped: it finds nothing to do."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait()


def end_leftovers(run: Path, grace_s: float) -> list[str]:
    """Ends every part that a pid file in `run` names and that still runs, and removes the pid files.

    Returns:
        The names of those that were running.
    """
    files = sorted(run.glob("*.pid"))
    found = [record for file in files if (record := ProcessRecord.read(file)) and record.runs]
    end(found, grace_s)
    for file in files:
        file.unlink(missing_ok=True)
    return [record.name for record in found]


def main() -> None:
    """Waits for the pipe to close. Ignores SIGTERM and its like: only the supervisor's end counts."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    end_leftovers(Path(sys.argv[1]), _GRACE_S)


if __name__ == "__main__":
    main()
