"""The worker of the tests on a kernel that lacks what a file says: it cannot lock itself in.

`lacking("landlock", pid)` hides Landlock, `lacking("filter", pid)` has the kernel refuse the system call filter, from
the workers of the service with that process id.
"""

import errno
import os
import sys
from pathlib import Path

from services.pdf.worker.operations import OPERATIONS
from services.pdf.worker.sandbox import confinement, landlock, seccomp
from services.pdf.worker.zygote import main

_SERVICE = os.getppid()
"""Who started this program, before it has forked."""


def lacking(what: str, service: int) -> Path:
    """The file that says so, while it exists."""
    return Path("/tmp", f"papermesh-no-{what}-{service}")  # noqa: S108  # one place for both, whatever either has in its environment


def landlock_version() -> int:
    return 0 if lacking("landlock", _SERVICE).exists() else landlock.landlock_version()


def install_filter(program: bytes) -> None:
    if lacking("filter", _SERVICE).exists():
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    seccomp.install_filter(program)


if __name__ == "__main__":
    confinement.landlock_version = landlock_version  # type: ignore[attr-defined]  # it is not exported, only used there
    confinement.install_filter = install_filter  # type: ignore[attr-defined]  # likewise
    main(OPERATIONS, sys.argv)
