"""Python environments of their own for what is no part of Papermesh: made once, from pinned packages."""

import hashlib
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

_TIMEOUT_S = 600


class EnvironmentMissingError(Exception):
    """An environment cannot be made; the text says why."""


def ensure(folder: Path, requirements: Path) -> Path:
    """Makes the environment unless it is there with these very packages; returns the folder of its programs.

    Raises:
        EnvironmentMissingError: when pip is missing, or cannot install them.
    """
    stamp = folder / "stamp"
    programs = folder / "bin"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
        return programs
    pip = ["-m", "pip", "--python", str(programs / "python"), "install", "--quiet", "--no-deps"]
    try:
        _call([sys.executable, "-m", "venv", "--clear", "--without-pip", str(folder)])
        _call([_python_with_pip(), *pip, "--requirement", str(requirements)])
    except subprocess.SubprocessError as error:
        raise EnvironmentMissingError(f"The packages of {requirements.name} cannot be installed: {error}") from None
    stamp.write_text(wanted, encoding="ascii")
    return programs


def _python_with_pip() -> str:
    """An interpreter that has pip: the one that runs this, or the system's."""
    for candidate in (sys.executable, "python3"):
        with suppress(OSError, subprocess.SubprocessError):
            _call([candidate, "-c", "import pip"], quiet=True)
            return candidate
    raise EnvironmentMissingError("No Python here has pip. On Debian and Ubuntu: sudo apt install python3-pip")


def _call(command: list[str], *, quiet: bool = False) -> None:
    stderr = subprocess.DEVNULL if quiet else None
    subprocess.run(command, stderr=stderr, timeout=_TIMEOUT_S, check=True)  # noqa: S603 - our own interpreters
