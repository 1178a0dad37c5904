"""stub"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from services.base.blobs import Namespace


class DocumentKey(NamedTuple):
    namespace: Namespace
    sha256: str


class Readings:
    def __init__(self) -> None:
        self._kept: dict[tuple[DocumentKey, str, int], bytes] = {}

    async def find(self, document: DocumentKey, pages: Sequence[int], kind: str) -> dict[int, bytes]:
        return {p: self._kept[document, kind, p] for p in pages if (document, kind, p) in self._kept}

    async def keep(self, document: DocumentKey, kind: str, pages: Mapping[int, bytes], *, shared: bool) -> None:
        for p, data in pages.items():
            self._kept[document, kind, p] = data
