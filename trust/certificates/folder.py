"""A folder whose files change together, as the kubelet mounts a Secret.

    pdf/tls.crt  -> ..data/tls.crt
    pdf/..data   -> ..1766312345678901234
    pdf/..1766312345678901234/tls.crt

Replacing `..data` swaps all files at once, so nobody ever reads a certificate with another one's key. Whoever watches
the folder sees one move, on a laptop just as on Kubernetes.
"""

import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from services.base.private_file import sync_folder
from services.base.tls_files import DATA, version_of


def publish(folder: Path, files: Mapping[str, bytes]) -> None:
    """Makes `files` (name to content) the folder's content, in one step and readable by the owner only.

    Interrupted at any point, even by a loss of power, it leaves either the old content or the new, nothing in between.
    """
    folder.parent.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    version = folder / f"..{time.time_ns()}"
    version.mkdir(mode=0o700)
    for name, content in files.items():
        # Opened with its mode, not changed to it afterwards: there is no moment in which others can read a key.
        with os.fdopen(os.open(version / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    sync_folder(version)
    for name in files:  # before the swap, which thereby shows all of them at once
        _replace_link(folder / name, Path(DATA, name))
    _replace_link(folder / DATA, Path(version.name))
    sync_folder(folder)
    for link in folder.iterdir():
        if link.name not in files and link.is_symlink() and link.readlink().parent == Path(DATA):
            link.unlink()
    for old in folder.glob("..[0-9]*"):
        if old != version:
            shutil.rmtree(old)


def read(folder: Path) -> dict[str, bytes]:
    """A folder's content, name to bytes, all of one version.

    Raises:
        OSError: when there is no such folder, or it cannot be read.
    """
    while True:
        version = version_of(folder)
        content = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
        if version_of(folder) == version:  # or it was replaced meanwhile
            return content


def published_at(folder: Path) -> float:
    """When its content was last replaced, in seconds since 1970.

    Raises:
        OSError: when it was never published.
    """
    return (folder / DATA).lstat().st_mtime


def _replace_link(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() == target:
        return
    new = link.with_name(f"..new-{link.name}")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(link)
