"""A folder whose files change together, as the kubelet mounts a Secret.

    pdf/tls.crt  -> ..data/tls.crt
    pdf/..data   -> ..1766312345678901234
    pdf/..1766312345678901234/tls.crt

Replacing `..data` swaps all files at once, so nobody ever reads a certificate beside another one's key; and whoever
watches the folder sees one move, on a laptop just as on Kubernetes.
"""

import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

_DATA = "..data"


def publish(folder: Path, files: Mapping[str, bytes]) -> None:
    """Makes `files` (name to content) the folder's content, in one step and readable by the owner only."""
    folder.parent.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    version = folder / f"..{time.time_ns()}"
    version.mkdir(mode=0o700)
    for name, content in files.items():
        # Opened with its mode, not changed to it afterwards: there is no moment in which others can read a key.
        with os.fdopen(os.open(version / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
    _replace_link(folder / _DATA, Path(version.name))
    for name in files:
        _replace_link(folder / name, Path(_DATA, name))
    for old in folder.glob("..[0-9]*"):
        if old != version:
            shutil.rmtree(old)


def _replace_link(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() == target:
        return
    new = link.with_name(f"..new-{link.name}")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(link)
