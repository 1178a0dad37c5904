"""What was read of documents, as files: a folder for each document, so that it goes with the document in one step.

`<namespace>/<digest>/<name>`, where a name has parts of its own, "engine/kind/page". A file is there whole or not at
all, except after a power failure: nothing is synced, because all of it can be read again. So whoever reads checks.
"""

import os
import random
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from services.base.names import is_digest
from services.base.stored_blob import Key, Namespace

DOCUMENTS = (Namespace.UPLOADS, Namespace.GITLAB)
"""The namespaces whose blobs are documents."""

_TRIES = 12
"""How often something is tried that others' writing and deleting in the same folder may hinder."""

_PAUSE_S = 0.001
"""The longest pause before the third try; each further one may be twice as long, a second in all on average."""


class PageFiles:
    """The files under `root`, which is made when it is needed, but not the folder that it is in.

    Several processes and threads may use it at the same time. Methods raise OSError when the disk fails.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, document: Key) -> Path:
        """Where everything of a document is."""
        return self.root / document.namespace / document.sha256

    def write(self, document: Key, name: str, content: bytes) -> None:
        """Writes a file, in place of one of the same name."""
        path = self.folder(document) / name
        for tried in _tries():
            if tried:
                self._make(path.parent)
            try:
                _write(path, content)
            except FileNotFoundError:  # the first of its folder, or somebody deletes that
                if tried == _TRIES - 1:
                    raise
            else:
                return

    def read(self, document: Key, name: str, limit_bytes: int) -> bytes | None:
        """A file's content, at most so many bytes of it; None if there is none."""
        try:
            with (self.folder(document) / name).open("rb", buffering=0) as file:
                return file.read(limit_bytes)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def remove(self, document: Key, name: str) -> None:
        """Removes a file, if it is there."""
        (self.folder(document) / name).unlink(missing_ok=True)

    def names(self, document: Key, under: str = "") -> Iterator[tuple[str, os.stat_result]]:
        """The files of a document, or of one of its folders. Those half-written have a # in their names."""
        return _walk(f"{self.folder(document)}/{under}", f"{under}/" if under else "")

    def delete(self, document: Key, under: str = "") -> None:
        """Deletes everything of a document, or one of its folders, also what is half-written."""
        folder = self.folder(document) / under
        aside = folder.with_name(f"{folder.name}#")
        for tried in _tries():
            try:
                _remove(aside)  # what a deletion that was cut off has left
                # Out of the way first: nobody writes any more into what is deleted.
                folder.rename(aside)
                _remove(aside)
            except FileNotFoundError:
                return
            except OSError:  # the disk fails, or somebody else is deleting the same
                if tried == _TRIES - 1:
                    raise
            else:
                return

    def documents(self) -> Iterator[Key]:
        """The documents of which something is here, if only what a deletion that was cut off has left."""
        for namespace in DOCUMENTS:
            with suppress(FileNotFoundError), os.scandir(self.root / namespace) as found:
                for name in {entry.name.removesuffix("#") for entry in found}:
                    if is_digest(name):
                        yield Key(namespace, name)

    def _make(self, folder: Path) -> None:
        """Makes a folder, and those of `root` above it, for their owner alone; as far as nobody deletes them."""
        above = folder.relative_to(self.root).parents
        self.root.mkdir(mode=0o700, exist_ok=True)
        # Also FileExistsError: one that was there when it was to be made, and gone when that was looked at.
        with suppress(FileNotFoundError, FileExistsError):
            for each in (*reversed(above), folder):
                (self.root / each).mkdir(mode=0o700, exist_ok=True)


def _tries() -> Iterator[int]:
    """How often it was tried before. Those who hinder each other part by pauses of random length."""
    for tried in range(_TRIES):
        if tried > 1:
            time.sleep(random.uniform(0, _PAUSE_S * 2 ** (tried - 2)))  # noqa: S311  # no secret
        yield tried


def _walk(folder: str, prefix: str) -> Iterator[tuple[str, os.stat_result]]:
    """The files below a folder, as far as nobody removes them meanwhile. Not by pathlib: at a start there are many."""
    with suppress(FileNotFoundError), os.scandir(folder) as found:
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(entry.path, f"{prefix}{entry.name}/")
            else:
                with suppress(FileNotFoundError):
                    yield f"{prefix}{entry.name}", entry.stat(follow_symlinks=False)


def _write(path: Path, content: bytes) -> None:
    """Puts a file at a path at once."""
    staged = path.with_name(f"{path.name}#{secrets.token_hex(4)}")
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        staged.replace(path)
    except BaseException:
        with suppress(OSError):
            staged.unlink()
        raise


def _remove(folder: Path) -> None:
    """Removes a folder, if it is there, whoever else is removing it."""
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(FileNotFoundError):
        folder.rmdir()  # tells why it could not be removed
