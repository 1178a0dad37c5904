"""The stack that Papermesh is held against: what people build by hand today, with stub answers. It starts itself."""

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Self

from benchmarks import answers, environments, programs
from deploy.local.guardian import Guardian, end_leftovers
from deploy.local.processes import ProcessRecord

URL = "http://127.0.0.1:18090/mcp/invoke"
_REQUIREMENTS = Path(__file__).with_name("incumbent.txt")
_PID_FILES = {"mcp server": "mcp.pid", "nginx": "ngx.pid", "api server": "corp.pid", "redis": "redis.pid"}
_SCRIPT_TIMEOUT_S = 60
_GRACE_S = 5


class IncumbentError(Exception):
    """It cannot be started."""


class Incumbent:
    """Two web servers, nginx between them and Redis behind, on the ports that its script names."""

    def __init__(self, source: Path, work: Path) -> None:
        """Starts nothing.

        Args:
            source: The folder with its `run.sh`.
            work: A folder for its Python environment, its certificates and its logs.
        """
        self._script = source.resolve() / "run.sh"
        self._venv = work / "venv"
        self._run = work / "run"
        self._guarded = work / "guarded"
        self._log = work / "run.log"
        self._started: subprocess.Popen[bytes] | None = None
        self._guardian: Guardian | None = None

    @property
    def parts(self) -> dict[str, int]:
        """The process ids of its parts."""
        return {name: int((self._run / file).read_text(encoding="ascii")) for name, file in _PID_FILES.items()}

    def __enter__(self) -> Self:
        """Installs and starts it, and waits until it answers."""
        environments.ensure(self._venv, _REQUIREMENTS)
        for folder in (self._run, self._guarded):
            folder.mkdir(parents=True, exist_ok=True)
        end_leftovers(self._guarded, _GRACE_S)
        try:
            # A session of its own, by which whatever its script leaves behind can be ended.
            with self._log.open("wb") as log:
                self._started = subprocess.Popen(  # noqa: S603 - its own script
                    ["/bin/sh", str(self._script)],
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            self._started.wait(_SCRIPT_TIMEOUT_S)
            self._guard()
            answers.wait_until_ok(URL, b'{"action":"PDF_METADATA","args":{}}')
        except (OSError, subprocess.SubprocessError, answers.AnswerError) as error:
            self._stop()
            raise IncumbentError(f"The incumbent does not answer: {error}. Its logs are in {self._run}.") from None
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _guard(self) -> None:
        """Makes sure that every part runs, and that it ends with us even when we are killed.

        Raises:
            IncumbentError: when one does not run, as when another program has its port.
        """
        for name, pid in self.parts.items():
            record = ProcessRecord.of(name, pid)
            if not record.runs:
                raise IncumbentError(f"The incumbent's {name} has ended. Its logs are in {self._run}.")
            record.write(self._guarded / f"{name}.pid")
        self._guardian = Guardian(self._guarded)

    def _stop(self) -> None:
        """Stops it by its pid files, and then whatever else its script started."""
        if self._started is None:
            return
        with suppress(subprocess.SubprocessError):
            subprocess.run(  # noqa: S603 - its own script
                ["/bin/sh", str(self._script), "stop"], env=self._environment, timeout=_SCRIPT_TIMEOUT_S, check=False
            )
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._started.pid, signal.SIGKILL)
        self._started.wait()
        for folder in (self._run, self._guarded):
            for file in folder.glob("*.pid"):
                file.unlink(missing_ok=True)
        if self._guardian:
            self._guardian.dismiss()
        self._started = self._guardian = None

    @property
    def _environment(self) -> dict[str, str]:
        python = str(self._venv / "bin" / "python")
        return {"PATH": programs.search_path(), "W": str(self._run), "PY": python}
