"""Replacing a file that holds keys: in one step, and never readable by more than before."""

import os
from pathlib import Path

_OWNER_ONLY = 0o600


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


def _take_after(descriptor: int, old: os.stat_result) -> None:
    new = os.fstat(descriptor)
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, old.st_mode & 0o770)
