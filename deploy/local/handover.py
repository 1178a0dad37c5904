"""Becomes a program that inherits a listening socket, as from systemd (sd_listen_fds(3)).

    python handover.py NUMBER PROGRAM ARGUMENT...

NUMBER is the socket's descriptor in this process. LISTEN_PID must hold the id of the program's process. Only that
process knows it in time, so it sets the variable before it becomes the program.
"""

import os
import sys

_FIRST = 3
"""Where the program looks for its first socket."""


def main() -> None:
    """Puts the socket in its place and runs the program."""
    number, *command = sys.argv[1:]
    os.dup2(int(number), _FIRST)
    handed = {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
    os.execve(command[0], command, {**os.environ, **handed})  # noqa: S606 - the command line of a part


if __name__ == "__main__":
    main()
