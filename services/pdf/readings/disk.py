"""Readings on this replica's disk: bounded, the document not asked about for longest goes first."""

import os
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from services.base.page_files import PageFiles
from services.base.stored_blob import Key
from services.pdf.readings.entry import MAX_PACKED_BYTES, unpack

MOST_DOCUMENTS = 10_000
"""Documents that are kept at most, however small: each takes some memory, and is asked for at every sweep."""

_SHARE = 4
"""No document takes more than this part of the room: one of 100,000 pages must not push out all others."""

_BLOCK_BYTES = 4096
"""What a file system gives out; a small file takes as much."""

_FOLDERS_BYTES = 4 * _BLOCK_BYTES
"""What the folders of a document are charged."""


class DiskReadings:
    """Entries of one engine in a folder that no other process uses. Safe in threads; its methods block.

    All raise OSError when the disk fails.
    """

    def __init__(self, folder: Path, engine: str, limit_bytes: int) -> None:
        """Keeps at most `limit_bytes` in `folder`, for the engine of this name, which is part of a path."""
        self._files = PageFiles(folder)
        self._engine = engine
        self._limit = limit_bytes
        self._held: OrderedDict[Key, int] = OrderedDict()
        self._total = 0
        self._lock = threading.Lock()

    def open(self) -> None:
        """Finds what an earlier process left; removes other engines' readings, and what was half-written."""
        with self._lock:
            self._held.clear()
            self._total = 0
            used: list[tuple[float, Key]] = []
            for document in self._files.documents():
                try:
                    used.append((self._files.folder(document).stat().st_mtime, document))
                except FileNotFoundError:
                    self._files.delete(document)  # there is only what a deletion that was cut off has left
            for _, document in sorted(used):
                self._held[document] = self._measure(document)
                self._total += self._held[document]
            self._make_room(0)

    def holds(self, document: Key) -> bool:
        """Whether there is anything of a document. Does not block."""
        return document in self._held

    def documents(self) -> list[Key]:
        """The documents of which there is something."""
        with self._lock:
            return list(self._held)

    def find(self, document: Key, kind: str, pages: Sequence[int], room: int) -> dict[int, bytes]:
        """Those of the pages that are here and whole, at most `room` bytes. What is not whole is removed."""
        found: dict[int, bytes] = {}
        for page in pages:
            name = self._name(kind, page)
            entry = self._files.read(document, name, MAX_PACKED_BYTES + 1)
            if entry is None:
                continue
            content = unpack(full_name(document, name), entry)
            if content is None:
                self._remove(document, name)
                continue
            room -= len(content)
            if room < 0:
                break
            found[page] = content
        if found:
            self._note_use(document)
        return found

    def keep(self, document: Key, kind: str, entries: Mapping[int, bytes]) -> None:
        """Keeps entries, as many as one document may have; makes room for them."""
        with self._lock:
            if not self._files.folder(document).exists():
                self._drop(document)  # somebody has removed it
            for page, entry in entries.items():
                name, charge = self._name(kind, page), _charge(len(entry))
                had = self._held.get(document, 0)
                has = (had or _FOLDERS_BYTES) - self._charged(document, name) + charge
                if has > self._limit // _SHARE:
                    return
                self._make_room(has - had, besides=document)
                self._files.write(document, name, entry)
                self._total += has - had
                self._held[document] = has
                self._held.move_to_end(document)
            self._make_room(0)

    def forget(self, document: Key) -> None:
        """Deletes everything of a document."""
        with self._lock:
            self._files.delete(document)
            self._drop(document)

    def _name(self, kind: str, page: int) -> str:
        return f"{self._engine}/{kind}/{page}"

    def _note_use(self, document: Key) -> None:
        with self._lock:
            if document in self._held:
                self._held.move_to_end(document)
        with suppress(FileNotFoundError):  # forgotten meanwhile
            os.utime(self._files.folder(document))  # so that a later process knows

    def _remove(self, document: Key, name: str) -> None:
        with self._lock:
            charge = self._charged(document, name)
            self._files.remove(document, name)
            if document in self._held:
                self._held[document] -= charge
                self._total -= charge

    def _make_room(self, wanted: int, besides: Key | None = None) -> None:
        """Deletes documents, those first that nobody has asked about for longest, until there is room for so much."""
        while self._total + wanted > self._limit or len(self._held) > MOST_DOCUMENTS:
            oldest = next((each for each in self._held if each != besides), None)
            if oldest is None:
                return
            self._files.delete(oldest)
            self._drop(oldest)

    def _drop(self, document: Key) -> None:
        self._total -= self._held.pop(document, 0)

    def _charged(self, document: Key, name: str) -> int:
        try:
            return _charge((self._files.folder(document) / name).stat().st_size)
        except FileNotFoundError:
            return 0

    def _measure(self, document: Key) -> int:
        """What a document takes, once rid of other engines' readings and what is none."""
        size, others = _FOLDERS_BYTES, set()
        for name, status in self._files.names(document):
            engine, _, rest = name.partition("/")
            if engine != self._engine:
                others.add(engine)
            elif not rest.rpartition("/")[2].isdecimal():
                self._files.remove(document, name)
            else:
                size += _charge(status.st_size)
        for engine in others:
            self._files.delete(document, engine)
        return size


def full_name(document: Key, name: str) -> str:
    """What an entry is packed under, wherever it is kept."""
    return f"{document.namespace}/{document.sha256}/{name}"


def _charge(size: int) -> int:
    return -(-size // _BLOCK_BYTES) * _BLOCK_BYTES
