"""Programs of other people that some tests need: proxies, and clients in other languages."""

import os
import shutil
from pathlib import Path

import pytest


def needed(name: str, package: str) -> Path:
    """The program on the PATH, or in /usr/sbin, where Debian keeps servers.

    Whoever does not have it runs everything else; CI must have it.

    Args:
        name: What it is called, "nginx".
        package: What Debian calls its package, "nginx-light".
    """
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if found:
        return Path(found)
    missing = f"{name} is missing. Install it and run this again: sudo apt install {package}"
    if os.environ.get("CI"):
        pytest.fail(missing, pytrace=False)
    pytest.skip(missing)
