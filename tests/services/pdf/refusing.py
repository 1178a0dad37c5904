"""A view whose workers are on a kernel that lacks what a file says: they cannot lock themselves in.

`lacking("landlock", pid)` hides Landlock, `lacking("filter", pid)` has the kernel refuse the system call filter, from
the workers of the service with that process id.
"""

import errno
import os
from pathlib import Path
from typing import Any

from services.pdf.worker.documents import Document
from services.pdf.worker.sandbox import confinement, landlock, seccomp

_SERVICE = os.getppid()
"""Who started the zygote, which imports this before it forks."""


def lacking(what: str, service: int) -> Path:
    """The file that says so, while it exists."""
    return Path("/tmp", f"papermesh-no-{what}-{service}")  # noqa: S108  # one place for both, whatever either has in its environment


def landlock_version() -> int:
    return 0 if lacking("landlock", _SERVICE).exists() else landlock.landlock_version()


def install_filter(program: bytes) -> None:
    if lacking("filter", _SERVICE).exists():
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    seccomp.install_filter(program)


def describe(_document: Document, _arguments: dict[str, Any]) -> bytes:
    """Named by the view, so that its zygote imports this; it runs in warming up."""
    confinement.landlock_version = landlock_version  # type: ignore[attr-defined]  # it is not exported, only used there
    confinement.install_filter = install_filter  # type: ignore[attr-defined]  # likewise
    return b"{}"
