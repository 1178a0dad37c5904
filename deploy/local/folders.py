"""Where a deployment on one machine keeps its state: one folder, readable by its owner only."""

import hashlib
import os
import tempfile
from pathlib import Path

from services.base.errors import OperatorError

_SOCKET_PATH_BYTES = 100
"""The longest path of a socket. The kernel allows 107."""

_LONGEST_SOCKET = f"{'w' * 20}-9-ready.sock"
"""The longest name: the socket of a workload's ninth replica."""

_LOOKED_FOR = "redis-state.sock"
"""The socket that the command line looks for in `run`."""


def keep_previous(log: Path) -> None:
    """Moves a log to <name>.old, so that a new one begins and the last run stays readable."""
    if log.exists():
        log.replace(log.with_name(f"{log.name}.old"))


class FolderError(OperatorError):
    """A folder cannot be used; the text is for the person who starts Papermesh."""


class Folders:
    """The folders under `root`."""

    def __init__(self, root: Path) -> None:
        """Makes nothing yet."""
        self.root = root
        self.certs = root / "certs"
        """The CA and a certificate for each workload."""
        self.secrets = root / "secrets"
        """The clients' keys, the audit log's, and that of tickets."""
        self.envoy = root / "envoy"
        """Envoy's configuration, rendered at each start."""
        self.run = root / "run"
        """Process ids, and sockets unless their paths would be too long."""
        self.log = root / "log"
        """A log for each part, and the one before it."""
        self.blobs = root / "blobs"
        """The documents."""
        self.audit = root / "audit"
        """The audit logs of dispatch, one for each replica."""

    @property
    def sockets(self) -> Path:
        """The folder of Unix sockets: `run`, or one with a short path if `run` would make theirs too long."""
        if len(os.fsencode(self.run / _LONGEST_SOCKET)) <= _SOCKET_PATH_BYTES:
            return self.run
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:12]
        return Path(tempfile.gettempdir(), f"papermesh-{os.getuid()}-{digest}")

    def redis(self, role: str) -> Path:
        """The configuration of Redis in a role, "state" or "cache", and what the state keeps across restarts."""
        return self.root / f"redis-{role}"

    def spool(self, part: str) -> Path:
        """Uploads on their way through a part."""
        return self.root / "spool" / part

    def work(self, part: str) -> Path:
        """A part's scratch files."""
        return self.root / "work" / part

    def make(self) -> None:
        """Makes the folders that every start needs, with mode 0700.

        Raises:
            FolderError: when one cannot be made, or belongs to somebody else.
        """
        kept = (self.certs, self.secrets, self.blobs, self.audit, self.redis("state"), self.redis("cache"))
        try:
            for folder in (self.root, *kept, self.envoy, self.run, self.log):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.sockets.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise FolderError(f"{error.filename} cannot be made: {error.strerror}.") from None
        # Whoever can write here can put keys of their own in the place of ours.
        found = self.root.stat()
        if found.st_uid != os.getuid() or found.st_mode & 0o022:
            raise FolderError(f"Other users can write {self.root}. Use another folder, or run chmod go-w on it.")
        # The folder for temporary files is everybody's, so this name may be somebody's trap there.
        found = self.sockets.lstat()
        if self.sockets.is_symlink() or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise FolderError(f"{self.sockets} does not belong to you alone. Remove it and start again.")
        if self.sockets != self.run:
            link = self.run / _LOOKED_FOR
            link.unlink(missing_ok=True)
            link.symlink_to(self.sockets / _LOOKED_FOR)

    def remove_sockets(self) -> None:
        """Removes what only a running deployment needs."""
        for folder in {self.sockets, self.run}:
            for socket in folder.glob("*.sock"):
                socket.unlink(missing_ok=True)
        if self.sockets != self.run and self.sockets.is_dir():
            self.sockets.rmdir()
