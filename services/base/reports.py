"""Reports of comparisons in the blob store: pdf puts them there, and dispatch says to whom they may be given.

Of each there is a record below its left document, which says what was compared and how, and for some time the page
itself. Below its right document is a pointer to it, so that a report goes with either. What went to make room is made
again when somebody asks for it.
"""

import hashlib
from collections.abc import AsyncIterator
from typing import Any

import orjson

from services.base.blobs import BlobStore
from services.base.report_id import ReportId
from services.base.stored_blob import Key, Namespace

MOST_BYTES = 64 * 1024 * 1024
"""Of one page: 150 pictures a side of 100 KB, a third more as base64, and 10,000 changes."""

MOST_KEPT = 8
"""Pages below one document, at most 512 MiB. The oldest goes."""

MOST_RECORDS = 500
"""Reports below one document. The oldest goes."""

_MOST_RECORD_BYTES = 64 * 1024
"""Two lists of 1,000 characters and a few words."""

_RECORD, _PAGE, _POINTER = "record", "page", "with"
"""Folders of a document's."""

_DIGEST_BYTES = 32


class Reports:
    """The reports in a blob store. Every method raises PapermeshError: UNAVAILABLE when the store cannot be used."""

    def __init__(self, blobs: BlobStore) -> None:
        """Keeps them in `blobs`."""
        self._blobs = blobs
        self._kept = blobs.reports

    async def put(self, report: ReportId, comparison: dict[str, Any]) -> bool:
        """Keeps what was compared and how: DiffRequest as JSON, without the documents.

        Returns:
            Whether it is kept. It is not if one of its documents has been deleted.
        """
        await self._kept.put(report.left, f"{_RECORD}/{report.name}", orjson.dumps(comparison))
        await self._kept.put(report.right, _pointer(report), b"")
        # Dispatch deletes a document before its reports: if both are there now, this one goes with them.
        if await self._is_orphan(report):
            await self.remove(report)
            return False
        await self._make_room(report.left, _RECORD, MOST_RECORDS)
        return True

    async def use(self, report: ReportId) -> dict[str, Any] | None:
        """What was compared and how, from now on kept as long as when it was new; None if there is no such report."""
        name = f"{_RECORD}/{report.name}"
        content = await self._kept.get(report.left, name, _MOST_RECORD_BYTES)
        try:
            comparison = dict(orjson.loads(content or b""))
        except (orjson.JSONDecodeError, TypeError, ValueError):
            return None
        await self.put(report, comparison)
        return comparison

    async def put_page(self, report: ReportId, page: bytes) -> None:
        """Keeps the page, unless a document of it has been deleted. The oldest below the left one make room."""
        # Nothing is synced to the disk: after a power failure the digest tells, and the page is made again.
        await self._kept.put(report.left, f"{_PAGE}/{report.name}", hashlib.sha256(page).digest() + page)
        if await self._is_orphan(report):
            await self.remove(report)
            return
        await self._make_room(report.left, _PAGE, MOST_KEPT)

    async def page(self, report: ReportId) -> bytes | None:
        """The page; None if it is not there any more, or not whole."""
        found = await self._kept.get(report.left, f"{_PAGE}/{report.name}", _DIGEST_BYTES + MOST_BYTES) or b""
        digest, page = found[:_DIGEST_BYTES], found[_DIGEST_BYTES:]
        return page if page and hashlib.sha256(page).digest() == digest else None

    async def of(self, document: Key) -> AsyncIterator[tuple[ReportId, float]]:
        """The reports in which a document is the later one, and when each was last used, in seconds since 1970."""
        for name, used in (await self._kept.names(document, _POINTER)).items():
            report = _pointed(document, name)
            # A pointer may stay behind for a while where its report went to make room, or with the earlier document.
            if report and await self._kept.get(report.left, f"{_RECORD}/{report.name}", _MOST_RECORD_BYTES):
                yield report, used

    async def remove(self, report: ReportId) -> None:
        """Removes a report."""
        for folder in (_PAGE, _RECORD):
            await self._kept.remove(report.left, f"{folder}/{report.name}")
        await self._kept.remove(report.right, _pointer(report))

    async def forget(self, document: Key) -> None:
        """Removes every report of a document, whichever side it was."""
        for name in await self._kept.names(document, _POINTER):
            if report := _pointed(document, name):
                await self.remove(report)
        await self._kept.delete(document)

    async def forget_old(self, document: Key, reports_before: float, pages_before: float) -> None:
        """Removes what nobody used after a moment, in seconds since 1970: reports below a document, and their pages."""
        for folder, before in ((_RECORD, reports_before), (_PAGE, pages_before), (_POINTER, reports_before)):
            for name, stored_at in (await self._kept.names(document, folder)).items():
                if stored_at < before:
                    await self._kept.remove(document, name)

    async def _is_orphan(self, report: ReportId) -> bool:
        for document in report.documents:
            if await self._blobs.missing(document.namespace, [document.sha256]):
                return True
        return False

    async def _make_room(self, document: Key, folder: str, most: int) -> None:
        names = await self._kept.names(document, folder)
        for name in sorted(names, key=names.__getitem__)[: max(0, len(names) - most)]:
            await self._kept.remove(document, name)


def _pointer(report: ReportId) -> str:
    """The name that lies below the right document, and says where the report is."""
    return f"{_POINTER}/{report.left.namespace}.{report.left.sha256}.{report.name}"


def _pointed(right: Key, name: str) -> ReportId | None:
    """The report that a name below its right document points to."""
    namespace, _, rest = name.removeprefix(f"{_POINTER}/").partition(".")
    sha256, _, own = rest.partition(".")
    try:
        return ReportId.read(str(ReportId(Key(Namespace(namespace), sha256), right, own)))
    except ValueError:
        return None
