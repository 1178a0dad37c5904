"""The pictures of a document as a comparison sees them: by their decoded pixels, and by what they look like."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeAlias

import orjson

from services.pdf.pages import pages_in
from services.pdf.worker.boxes import Box
from services.pdf.worker.diff.document import Picture
from services.pdf.worker.documents import Document, attempt
from services.pdf.worker.mupdf import mupdf, pymupdf
from services.pdf.worker.page_pictures import find_images, may_have_pictures
from services.pdf.worker.structured_text import load_page

_MOST_ON_PAGE = 200
_MOST_PIXELS = 200_000_000
"""Of one document's pictures together; those after them are not looked at."""

_ACROSS, _DOWN = 9, 8
"""Pixels of the small grey copy; each but the last of a row gives a bit: whether the next one is lighter.

N. Krawetz, "Kind of like that" (2013), calls it dHash: it stays the same when a picture is packed or scaled anew."""

_ALIKE = 3
"""Bits of 64 that may differ between two copies of one picture."""

_PLAIN = 6
"""A picture with fewer bits set, or unset, has too little in it to be known by its look."""

_MOST_COMPARED = 1_000_000
"""Pairs of pictures; with more, equal pixels alone make two the same."""

_Described: TypeAlias = Mapping[str, Sequence[Sequence[Any]]]
"""What `describe` told."""


def describe(document: Document, arguments: Mapping[str, Any]) -> bytes:
    """The pictures of the pages in `ranges` as JSON: for each page that has any, by its number, a list of theirs.

    Each is left, top, right and bottom in points, the digest of its pixels, and its look as 16 hexadecimal digits; both
    are empty for one too large, or one too many, to be unpacked.
    """
    found: dict[str, list[list[Any]]] = {}
    left = _MOST_PIXELS
    for page in pages_in(arguments["ranges"]) if arguments["ranges"] else range(1, document.page_count + 1):
        pictures = attempt(_on_page, document, page, left, otherwise=None) or []
        left -= sum(pixels for _, pixels in pictures)
        if pictures:
            found[str(page)] = [described for described, _ in pictures]
    return orjson.dumps(found)


def _on_page(document: Document, page: int, left: int) -> list[tuple[list[Any], int]]:
    if not may_have_pictures(document, page, pixels=1):
        return []
    found = []
    for box, image in islice(find_images(load_page(document, page)), _MOST_ON_PAGE):
        pixels = image.w() * image.h()
        left -= pixels
        seen = _seen(image) if left >= 0 else ("", "")
        found.append(([*(round(edge, 2) for edge in box), *seen], pixels))
    return found


def _seen(image: Any) -> tuple[str, str]:
    """The digest of a picture's pixels, and its look."""
    try:
        pixels = pymupdf.Pixmap("raw", mupdf.fz_get_unscaled_pixmap_from_image(image))
        grey = pymupdf.Pixmap(pymupdf.Pixmap(pymupdf.csGRAY, pixels) if pixels.colorspace else pixels, 0)
        small = bytes(pymupdf.Pixmap(grey, _ACROSS, _DOWN, None).samples)
    except (mupdf.FzErrorBase, RuntimeError, ValueError):
        return "", ""
    bits = 0
    for row in range(_DOWN):
        for column in range(_ACROSS - 1):
            at = row * _ACROSS + column
            bits = bits << 1 | (small[at] < small[at + 1])
    return pixels.digest.hex(), f"{bits:016x}"


def take(described: _Described, other: _Described) -> Mapping[int, list[Picture]]:
    """Those that `describe` told; one that only looks like one of the `other` document has its digest."""
    others = list(_every(other))
    digests = {each[4] for each in others}
    looks = [(int(each[5], 16), each[4]) for each in others if each[5]]
    if len(looks) * sum(map(len, described.values())) > _MOST_COMPARED:
        looks = []
    return {
        int(page): [Picture(Box(*each[:4]), _digest(each, digests, looks)) for each in pictures]
        for page, pictures in described.items()
    }


def _digest(picture: Sequence[Any], digests: Collection[str], looks: Sequence[tuple[int, str]]) -> str:
    digest, look = picture[4], picture[5]
    if digest in digests or not look:
        return str(digest)
    bits = int(look, 16)
    if _PLAIN <= bits.bit_count() <= 64 - _PLAIN:
        for other, its_digest in looks:
            if (bits ^ other).bit_count() <= _ALIKE:
                return its_digest
    return str(digest)


def _every(described: _Described) -> Iterator[Sequence[Any]]:
    for pictures in described.values():
        yield from pictures
