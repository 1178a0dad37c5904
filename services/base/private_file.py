"""Files that hold keys: read only while not everybody can."""

import os
import stat
from pathlib import Path


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
