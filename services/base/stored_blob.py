"""What every blob store has in common: where blobs come from, what they are called, and how their loss is told."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from services.base.documents import check_digest
from services.base.errors import Code, PapermeshError
from services.base.own_faults import own_fault

PIECE_BYTES = 256 * 1024
"""The most of a blob that is held in memory at a time."""


def cut(content: bytes | memoryview) -> Iterator[bytes]:
    """The bytes in pieces of at most `PIECE_BYTES`, as they are streamed."""
    for start in range(0, len(content), PIECE_BYTES):
        yield bytes(content[start : start + PIECE_BYTES])


class Namespace(StrEnum):
    """Where the bytes came from: a client, GitLab, or an action whose large result an idempotency key keeps.

    Readings, images and reports are no blobs: `BlobStore.readings`, `.images` and `.reports` keep them below these
    names, by their document.
    """

    UPLOADS = "uploads"
    GITLAB = "gitlab"
    RESULTS = "results"
    READINGS = "readings"
    IMAGES = "images"
    REPORTS = "reports"


@dataclass(frozen=True, slots=True)
class Blob:
    """What the store tells of a blob without reading it."""

    sha256: str
    size: int
    """In bytes."""

    stored_at: float
    """When it was put, in seconds since 1970 by the store's clock."""


class Key(NamedTuple):
    """What a blob is found by."""

    namespace: Namespace
    sha256: str

    @classmethod
    def of(cls, namespace: Namespace, sha256: str) -> "Key":
        """The key of a blob. None is made but from a digest, since it becomes a path.

        Raises:
            PapermeshError: BAD_ARG.
        """
        check_digest(sha256, "sha256")
        return cls(namespace, sha256)

    def __str__(self) -> str:
        """Spread over 256 folders, which keeps each of them small."""
        return f"{self.namespace.value}/{self.sha256[:2]}/{self.sha256}"

    def missing(self) -> PapermeshError:
        """The error for bytes that are not in the store, though dispatch has found the right to them.

        A document may have been deleted since, so the operator is not told here of one:
        services/dispatch/uploads/lost_documents.py finds out which it is, and tells.
        """
        return self._lost("missing", is_fault=self.namespace is Namespace.RESULTS)

    def damaged(self) -> PapermeshError:
        """The error for bytes that are no longer those that were stored."""
        return self._lost("damaged", is_fault=True)

    def _lost(self, how: str, *, is_fault: bool) -> PapermeshError:
        # Not UNAVAILABLE: the same call fails until somebody brings the bytes again.
        if self.namespace is Namespace.RESULTS:
            noun, mend = "answer", "Call with another idempotency key"
        else:
            noun, mend = "document", "Upload the same file again to repair it"
        reason = f"stored_{noun}_{how}"
        message = (
            f"The stored {noun} is {how}, and that is our fault. {mend}, and tell whoever runs Papermesh: {reason}."
        )
        if is_fault:
            return own_fault(reason, message, code=Code.ENGINE_FAIL, blob=str(self))
        return PapermeshError(Code.ENGINE_FAIL, message, details={"reason": reason})
