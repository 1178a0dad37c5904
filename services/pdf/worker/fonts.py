"""What the fonts of a page say of their glyphs."""

from dataclasses import dataclass
from typing import Any

from services.pdf.worker.cmaps import mend_encoding
from services.pdf.worker.documents import Document, attempt
from services.pdf.worker.glyph_names import mend_names
from services.pdf.worker.mupdf import mupdf

_RESOURCES = mupdf.pdf_new_name("Resources")
_FONT = mupdf.pdf_new_name("Font")
_SUBTYPE = mupdf.pdf_new_name("Subtype")
_TO_UNICODE = mupdf.pdf_new_name("ToUnicode")
_ENCODING = mupdf.pdf_new_name("Encoding")
_IDENTITY = ("Identity-H", "Identity-V")
_COMPOSITE = "Type0"
_NUMBERED = (_COMPOSITE, "Type3")
_DESCENDANTS = mupdf.pdf_new_name("DescendantFonts")
_DESCRIPTOR = mupdf.pdf_new_name("FontDescriptor")
_FLAGS = mupdf.pdf_new_name("Flags")
_SYMBOLIC = 4


@dataclass(frozen=True, slots=True)
class PageFonts:
    """The fonts that a page names, taken together."""

    unmapped: bool = False
    """In one of them glyphs are numbers, and the file does not say which letters those are."""

    numbered: bool = False
    """In one of them glyphs have no names of their own, so that a letter nobody could see is a glyph without one."""


def read_fonts(document: Document, leaf: Any) -> PageFonts:
    """What the fonts of a page say, given by its dictionary; those that cannot be read say nothing.

    To be called before the page is read. MuPDF gives up on a composite font without a descriptor, and reads its Hangul
    as Latin letters; such a font gets one here. Some character maps and names of glyphs that MuPDF does not know are
    given to it in words that it does (`cmaps`, `glyph_names`).
    """
    return attempt(_read, document, leaf, otherwise=PageFonts())


def _read(document: Document, leaf: Any) -> PageFonts:
    fonts = mupdf.pdf_dict_get(mupdf.pdf_dict_get_inheritable(leaf, _RESOURCES), _FONT)
    named = [mupdf.pdf_dict_get_val(fonts, index) for index in range(mupdf.pdf_dict_len(fonts))]
    numbered = []
    for font in named:
        kind = mupdf.pdf_to_name(mupdf.pdf_dict_get(font, _SUBTYPE))
        if kind in _NUMBERED:
            numbered.append(font)
        if kind == _COMPOSITE:
            _mend(document, font)
        else:
            mend_names(document, font)
    return PageFonts(unmapped=any(map(_is_unmapped, numbered)), numbered=bool(numbered))


def _mend(document: Document, font: Any) -> None:
    mend_encoding(document, font)
    descendant = mupdf.pdf_array_get(mupdf.pdf_dict_get(font, _DESCENDANTS), 0)
    if mupdf.pdf_is_dict(descendant) and not mupdf.pdf_is_dict(mupdf.pdf_dict_get(descendant, _DESCRIPTOR)):
        descriptor = mupdf.pdf_new_dict(document.pdf, 1)
        mupdf.pdf_dict_put_int(descriptor, _FLAGS, _SYMBOLIC)
        mupdf.pdf_dict_put(descendant, _DESCRIPTOR, descriptor)


def _is_unmapped(font: Any) -> bool:
    if mupdf.pdf_dict_get(font, _TO_UNICODE).m_internal:
        return False
    return mupdf.pdf_to_name(mupdf.pdf_dict_get(font, _ENCODING)) in _IDENTITY
