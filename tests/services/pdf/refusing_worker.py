"""The worker of the tests on a kernel that lacks what a file beside its folder names: it cannot lock itself in.

The file "no-landlock" hides Landlock, "no-filter" has the kernel refuse the system call filter.
"""

import errno
import os
import sys
from pathlib import Path

from services.pdf.worker import landlock, sandbox, seccomp
from services.pdf.worker.operations import OPERATIONS
from services.pdf.worker.zygote import main


def landlock_version() -> int:
    return 0 if Path("../no-landlock").exists() else landlock.landlock_version()


def install_filter(program: bytes) -> None:
    if Path("../no-filter").exists():
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    seccomp.install_filter(program)


if __name__ == "__main__":
    sandbox.landlock_version = landlock_version  # type: ignore[attr-defined]  # it is not exported, only used there
    sandbox.install_filter = install_filter  # type: ignore[attr-defined]  # likewise
    main(OPERATIONS, sys.argv)
