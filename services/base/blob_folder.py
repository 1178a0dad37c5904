"""Blobs in a folder. What was put is on the disk, and what is given out has the digest that it is called by."""

import asyncio
import contextlib
import errno
import hashlib
import os
import secrets
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterator
from pathlib import Path
from typing import IO

from services.base.errors import PapermeshError
from services.base.names import is_digest
from services.base.own_faults import Disk, using
from services.base.private_file import sync_folder
from services.base.stored_blob import PIECE_BYTES, Blob, Key, Namespace

DAMAGED = ".damaged"
"""Ends the name of a file that had lost its bytes and was put aside, for whoever wants to find out why."""

_REMEMBERED = 10_000
"""Blobs that a process knows to be whole; one more, and it hashes the one that it has known longest again."""


class BlobFolder:
    """Blobs as files. Several processes may use one folder at the same time.

    A file is hashed before it is given out for the first time, and again when its inode, size or modification
    time is another than then. What changes bytes and leaves those three alone is found by the next process.
    """

    def __init__(self, root: Path) -> None:
        """Opens the folder; it is made when it is missing."""
        made = [folder for folder in (root, *root.parents) if not folder.exists()]
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in made:
            sync_folder(folder.parent)
        self._root = root
        self._lasting: set[Path] = set()
        self._proved: dict[Key, tuple[int, ...]] = {}
        self._lock = threading.Lock()

    async def put(self, key: Key, source: Path) -> None:
        """Stores a file; one that is there already must prove to be the same, or is replaced."""
        await asyncio.to_thread(self._put, key, source)

    async def size(self, key: Key) -> int:
        """The size of a blob in bytes."""
        with self._reading(key):
            return self._path(key).stat().st_size

    async def read(self, key: Key) -> AsyncGenerator[bytes, None]:
        """The bytes of a blob, unproved."""
        with self._reading(key):
            file = await asyncio.to_thread(self._path(key).open, "rb", buffering=0)
        with file:
            while True:
                with self._reading(key):
                    piece = await asyncio.to_thread(file.read, PIECE_BYTES)
                if not piece:
                    return
                yield piece

    async def place(self, key: Key, target: Path) -> None:
        """Puts a blob at a path where nothing is yet, by a hard link where that is possible.

        Raises:
            OSError: when the target cannot be written.
        """
        if not self._link(key, target):
            await asyncio.to_thread(self._copy, key, target)
        elif self._proved.get(key) != _identity(os.stat(target)):  # noqa: PTH116  # pathlib is slow, and not allowed here
            await asyncio.to_thread(self._prove, key, target)

    async def list(self, namespace: Namespace) -> AsyncIterator[Blob]:
        """All blobs of a namespace, in no order."""
        with using(Disk.STORE):
            self._must_be_there()
            folders = await asyncio.to_thread(_entries, self._root / namespace)
        for folder in folders:
            with using(Disk.STORE):
                found = await asyncio.to_thread(_blobs, folder)
            for blob in found:
                yield blob

    async def missing(self, keys: Collection[Key]) -> set[str]:
        """The digests of those that are not there."""
        with using(Disk.STORE):
            found = await asyncio.to_thread(lambda: {key.sha256 for key in keys if not self._path(key).exists()})
            if found:
                self._must_be_there()
        return found

    async def delete(self, key: Key) -> None:
        """Deletes a blob, and what was put aside of it."""
        await asyncio.to_thread(self._delete, key)

    async def set_aside(self, key: Key) -> PapermeshError:
        """The error for a blob that did not have its digest; puts it aside, unless it was replaced in the meantime."""
        try:
            with self._reading(key):
                await asyncio.to_thread(self._prove, key, self._path(key))
        except PapermeshError as error:
            return error
        return key.damaged()

    def _path(self, key: Key) -> Path:
        return self._root / str(key)

    def _put(self, key: Key, source: Path) -> None:
        path = self._path(key)
        with using(Disk.STORE):
            self._make(path.parent)
            if not self._holds(key, path):
                _write(path, source)
            # The entry too, even when another process has just made it: it may not have come so far.
            sync_folder(path.parent)

    def _make(self, folder: Path) -> None:
        """Makes a folder of the root, such that it lasts."""
        if folder in self._lasting and folder.is_dir():
            return
        for each in (folder.parent, folder):
            each.mkdir(mode=0o700, exist_ok=True)
            sync_folder(each.parent)
        self._lasting.add(folder)

    def _holds(self, key: Key, path: Path) -> bool:
        """Whether a blob is there and whole; puts it aside when it is not whole."""
        try:
            self._prove(key, path)
        except FileNotFoundError:
            return False
        except PapermeshError:  # told by `_prove`, and mended now
            return False
        return True

    def _prove(self, key: Key, path: Path) -> None:
        """Hashes a blob, which stands at `path`, and remembers it as it is now.

        Raises:
            PapermeshError: ENGINE_FAIL when it does not have its digest; it has been put aside.
            OSError: when there is no file to be opened.
        """
        with path.open("rb") as file, using(Disk.STORE):
            status = os.fstat(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != key.sha256:
            raise self._put_aside(key, status.st_ino)
        with self._lock:
            while len(self._proved) >= _REMEMBERED:
                del self._proved[next(iter(self._proved))]
            self._proved[key] = _identity(status)

    def _put_aside(self, key: Key, inode: int) -> PapermeshError:
        """Puts a damaged file aside, unless it was replaced in the meantime, and returns the error for it."""
        path = self._path(key)
        aside = path.with_name(path.name + DAMAGED)
        # Another process may have put it aside or deleted it; and where the volume can only be read, it stays. Either
        # way the damage is told, and the next put mends it.
        with contextlib.suppress(OSError):
            path.replace(aside)
            if aside.stat().st_ino != inode:  # it had just been mended: back with it
                with contextlib.suppress(FileExistsError):
                    os.link(aside, path)
                aside.unlink()
        return key.damaged()

    def _link(self, key: Key, target: Path) -> bool:
        """Whether a hard link could be made."""
        source = f"{self._root}/{key}"  # pathlib would cost as much as the link itself
        try:
            os.link(source, target)
        except FileExistsError:  # never write into what stands there: it may be a link to another blob
            raise
        except FileNotFoundError:
            with self._reading(key):
                self._path(key).stat()
            raise  # so it is the target's folder that is not there
        except OSError:  # another file system, or one without hard links
            return False
        return True

    def _copy(self, key: Key, target: Path) -> None:
        digest = hashlib.sha256()
        with self._reading(key):
            file = self._path(key).open("rb")
        with file, target.open("xb") as copy:
            for piece in _pieces(file, Disk.STORE):
                digest.update(piece)
                copy.write(piece)
            if digest.hexdigest() != key.sha256:
                raise self._put_aside(key, os.fstat(file.fileno()).st_ino)

    def _delete(self, key: Key) -> None:
        path = self._path(key)
        with using(Disk.STORE):
            self._must_be_there()
            path.unlink(missing_ok=True)
            path.with_name(path.name + DAMAGED).unlink(missing_ok=True)

    @contextlib.contextmanager
    def _reading(self, key: Key) -> Iterator[None]:
        """Tells a blob that is not there from a store that is not there."""
        with using(Disk.STORE):
            try:
                yield
            except FileNotFoundError:
                self._must_be_there()
                raise key.missing() from None

    def _must_be_there(self) -> None:
        """Raises FileNotFoundError when the whole store is gone, as a volume is that is not mounted."""
        if not self._root.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self._root))


def _write(path: Path, source: Path) -> None:
    """Puts a copy of a file at a path at once, when all of it is on the disk."""
    # services/dispatch/uploads/retention.py knows the name, and removes what a killed process leaves.
    staged = path.with_name(f"{path.name}#{secrets.token_hex(4)}")
    try:
        with using(Disk.SPOOL):
            file = source.open("rb")
        with file, staged.open("xb") as copy:
            for piece in _pieces(file, Disk.SPOOL):
                copy.write(piece)
            copy.flush()
            os.fsync(copy.fileno())
        staged.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            staged.unlink()
        raise


def _identity(status: os.stat_result) -> tuple[int, ...]:
    """A file as it was when it was hashed. A hard link changes its ctime, so that says nothing."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _pieces(file: IO[bytes], disk: Disk) -> Iterator[bytes]:
    while True:
        with using(disk):
            piece = file.read(PIECE_BYTES)
        if not piece:
            return
        yield piece


def _entries(folder: Path) -> list[Path]:
    """What is in a folder; nothing, when nobody has made it or it is none."""
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _blobs(folder: Path) -> list[Blob]:
    found = []
    for file in _entries(folder):
        if is_digest(file.name):
            with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
                status = file.stat()
                found.append(Blob(file.name, status.st_size, status.st_mtime))
    return found
