"""What the figures come from: the machine and the versions."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

_GIB = 1024**3


def describe() -> dict[str, str]:
    """Machine and versions, for people."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB
    cores = len(os.sched_getaffinity(0))
    return {
        "machine": f"{cores} cores of {_processor()}, {memory:.0f} GiB, Linux {platform.release()}",
        "versions": f"Python {platform.python_version()}, grpcio {version('grpcio')}, uvicorn {version('uvicorn')}",
        "commit": _commit(),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _commit() -> str:
    """The commit, marked when files differ from it."""
    answer = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607 - git from the PATH
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return answer.stdout.strip() or "unknown"
