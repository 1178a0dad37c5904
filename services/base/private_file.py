"""Files that hold keys: read only while not everybody can, replaced in one step, changed by one program at a time."""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_OWNER_ONLY = 0o600


def read_private(path: Path) -> bytes:
    """The content of a file with keys.

    Its group may read it: that is how Kubernetes gives a Secret to a process that is not root.

    Raises:
        OSError: when it cannot be read, or everybody on the machine can; `strerror` says which, and what to do.
    """
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if mode & stat.S_IROTH:
            raise PermissionError(None, f"everybody on this machine can read it; run chmod o= {path}", str(path))
        return file.read()


def replace_private(path: Path, content: bytes) -> None:
    """Makes `content` what the file says. Whoever reads it meanwhile reads the old content or the new, whole.

    A new file is its owner's alone. One that was there keeps its owner, its group and their rights; everybody else
    loses theirs. Where the path is a link, the file behind it is replaced.

    Raises:
        OSError: naming the file, when it cannot be written; it is then as it was.
    """
    file = path.resolve()
    new = file.with_name(f".{file.name}.new")
    new.unlink(missing_ok=True)
    try:
        # Opened with its mode, not changed to it afterwards: there is no moment in which others can read a key.
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "wb") as opened:
            if file.exists():
                _take_after(opened.fileno(), file.stat())
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps out of a folder, for as long as the block lasts, whoever else locks it: they wait.

    Raises:
        OSError: when there is no such folder.
    """
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def sync_folder(folder: Path) -> None:
    """Waits until the entries of a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _take_after(descriptor: int, old: os.stat_result) -> None:
    new = os.fstat(descriptor)
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, old.st_mode & 0o770)
