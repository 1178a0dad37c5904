"""The programs that a worker starts: each ends with it, whatever ends it, and may do less than it may."""

import os
import signal
import subprocess
from collections.abc import Callable
from typing import Any

from services.pdf.worker.sandbox.seccomp import compile_filter, install_filter
from services.pdf.worker.sandbox.syscalls import PR_SET_PDEATHSIG, current_architecture, prctl

_PR_SET_NO_NEW_PRIVS = 38


def hold_programs(profile: str) -> None:
    """From now on, what this process or a fork of it starts through `subprocess` dies with whoever started it.

    And it has `profile`'s system calls alone: without clone, it starts no process of its own, which would not die too.
    Set for `subprocess` as a whole, so that no library's way of calling it goes without. Raises OSError.
    """
    prctl(_PR_SET_NO_NEW_PRIVS, 1)
    program = compile_filter(current_architecture(), profile, 0)
    begin: Callable[..., None] = subprocess.Popen.__init__

    def begin_held(
        self: "subprocess.Popen[Any]", *arguments: Any, preexec_fn: Callable[[], Any] | None = None, **options: Any
    ) -> None:
        parent = os.getpid()

        def settle() -> None:
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:  # it died before the line above
                os._exit(1)
            if preexec_fn is not None:
                preexec_fn()
            install_filter(program)

        # There is one thread, so nothing can hold a lock that the child needs.
        begin(self, *arguments, preexec_fn=settle, **options)

    subprocess.Popen.__init__ = begin_held  # type: ignore[method-assign]  # the same but for two words
