"""What a run needs besides Python: programs, and a document to ask about."""

import os
import shutil
from pathlib import Path

_PACKAGES = {"wrk": "wrk", "nginx": "nginx-light", "redis-server": "redis-server"}
_PLACES = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
"""Debian keeps nginx where an ordinary user's PATH does not look."""


class MissingError(Exception):
    """Something is not there; the text says how to get it."""


def find(name: str) -> Path:
    """Where a program is.

    Raises:
        MissingError: when it is nowhere.
    """
    found = shutil.which(name, path=_PLACES)
    if found is None:
        package = _PACKAGES[name]
        raise MissingError(f"The benchmarks need {name}. Install it: sudo apt install {package}")
    return Path(found)


def check_document(path: Path) -> None:
    """Makes sure that the document is there.

    Raises:
        MissingError: when it is not.
    """
    if not path.is_file():
        raise MissingError(f"There is no document {path}. Name another: --document FILE, or leave it out: --bare-only")


def search_path() -> str:
    """A PATH on which all of them are found."""
    return _PLACES
