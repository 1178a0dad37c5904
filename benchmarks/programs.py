"""The programs that a run needs besides Python."""

import os
import shutil
from pathlib import Path

_PACKAGES = {"wrk": "wrk", "nginx": "nginx-light", "redis-server": "redis-server"}
_PLACES = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
"""Debian keeps nginx where an ordinary user's PATH does not look."""


class ProgramMissingError(Exception):
    """A program is not installed; the text says how to get it."""


def find(name: str) -> Path:
    """Where a program is.

    Raises:
        ProgramMissingError: when it is nowhere.
    """
    found = shutil.which(name, path=_PLACES)
    if found is None:
        package = _PACKAGES[name]
        raise ProgramMissingError(f"The benchmarks need {name}. Install it: sudo apt install {package}")
    return Path(found)


def search_path() -> str:
    """A PATH on which all of them are found."""
    return _PLACES
