"""Runs in a pod as the pdf service does. Prints as one JSON line what the service may do, and what its workers may."""

import asyncio
import ctypes
import errno
import json
import os
import shutil
import socket
import tempfile
from pathlib import Path
from typing import Any

from services.pdf.processes.kinds import Kind, View
from services.pdf.processes.pool import WorkerPool
from services.pdf.processes.subject import Subject
from services.pdf.worker.mupdf import pymupdf
from services.pdf.worker.sandbox.landlock import landlock_version

VIEWS = {name: View(f"probes:{name}", warm_up={"warm_up": True}) for name in ("syscall", "read_file", "inventory")}
"""Of tests/services/pdf/probes.py, put where an isolated interpreter finds it."""

CLONE_NEWNET = 0x40000000
NETWORK_CALLS = {
    "socket (internet)": (41, [2, 1, 0]),
    "socket (raw)": (41, [2, 3, 1]),
    "socket (netlink)": (41, [16, 3, 0]),
    "socket (unix)": (41, [1, 1, 0]),
    "socketpair": (53, [1, 1, 0, 0]),
    "connect": (42, [3, 0, 0]),
    "bind": (49, [3, 0, 0]),
    "sendto": (44, [3, "x", 1, 0, 0, 0]),
    "io_uring_setup": (425, [1, 0]),
    "unshare": (272, [CLONE_NEWNET]),
    "setns": (308, [3, 0]),
    "execve": (59, ["/bin/true", 0, 0]),
}
"""By the numbers of x86_64."""


def unshare() -> str:
    """What the kernel says when this process asks for a network of its own; "" when it gets one."""
    libc = ctypes.CDLL(None, use_errno=True)
    return errno.errorcode[ctypes.get_errno()] if libc.unshare(CLONE_NEWNET) else ""


def reach(host: str, port: int) -> bool:
    """Whether this process gets an answer over the network, even a refusal."""
    with socket.socket() as link:
        link.settimeout(10)
        return link.connect_ex((host, port)) in (0, errno.ECONNREFUSED)


async def confined() -> dict[str, Any]:
    """What a worker may do."""
    with tempfile.TemporaryDirectory() as scratch:
        sample = Path(scratch, "sample.pdf")
        with pymupdf.open() as document:
            document.new_page().insert_text((72, 72), "A sample.")
            document.save(sample)

        async def place(path: Path) -> None:
            shutil.copyfile(sample, path)

        async with WorkerPool(Kind(), VIEWS, Path(scratch, "work")) as pool:

            async def ask(operation: str, **arguments: Any) -> Any:
                deadline = asyncio.get_running_loop().time() + 60
                return json.loads((await pool.run(operation, arguments, Subject("x", place), deadline)).payload)

            return {
                "calls": {
                    name: await ask("syscall", number=number, arguments=arguments)
                    for name, (number, arguments) in NETWORK_CALLS.items()
                },
                "files": {
                    path: await ask("read_file", path=path, flags=os.O_RDONLY)
                    for path in ("/etc/passwd", "/proc/self/environ", "/etc/resolv.conf", "/no/such/file")
                },
                "held": await ask("inventory"),
            }


def main() -> None:
    """Prints everything."""
    found = {
        "user": os.getuid(),
        "unshare": unshare(),
        "landlock": landlock_version(),
        "service reaches the API server": reach(
            os.environ["KUBERNETES_SERVICE_HOST"], int(os.environ["KUBERNETES_SERVICE_PORT"])
        ),
        "worker": asyncio.run(confined()),
    }
    print(json.dumps(found))  # noqa: T201 - read from the pod's log


if __name__ == "__main__":
    main()
