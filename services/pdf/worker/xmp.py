"""Metadata in XMP, which PDF 2.0 has instead of the information dictionary (ISO 16684-1)."""

import codecs
import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

from services.pdf.worker.documents import Document, attempt
from services.pdf.worker.mupdf import mupdf

codecs.lookup("cp949")  # now: a confined worker may open no file, and so load no codec

_MOST_BYTES = 1 << 20

_KOREAN = re.compile(rb"<\?xml\s[^>]*\bencoding=[\"'](?:euc-kr|ks_c_5601-1987|cp949|windows-949)[\"']", re.IGNORECASE)
"""Declares an encoding whose letters may have two bytes, which no XML parser of Python's reads. CP949 has them all."""

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_PDF = "{http://ns.adobe.com/pdf/1.3/}"
_XMP = "{http://ns.adobe.com/xap/1.0/}"
_PDF_A = "{http://www.aiim.org/pdfa/ns/id/}"
_PDF_UA = "{http://www.aiim.org/pdfua/ns/id/}"

_FIELDS = {
    f"{_DC}title": "title",
    f"{_DC}creator": "author",
    f"{_DC}description": "subject",
    f"{_PDF}Keywords": "keywords",
    f"{_XMP}CreatorTool": "creator",
    f"{_PDF}Producer": "producer",
    f"{_XMP}CreateDate": "creation_date",
    f"{_XMP}ModifyDate": "modification_date",
    f"{_PDF_A}part": "pdf_a_part",
    f"{_PDF_A}conformance": "pdf_a_conformance",
    f"{_PDF_UA}part": "pdf_ua_part",
}


def read_xmp(document: Document) -> dict[str, str]:
    """What the document's metadata stream says, under the names that the information dictionary's fields have here.

    `pdf_a_part`, `pdf_a_conformance` and `pdf_ua_part` are what it claims of PDF/A (ISO 19005) and PDF/UA (ISO 14289).

    Empty if there is none, or none that can be read: larger than 1 MiB, no XML, or with a document type, which XMP
    never has and which could make a small file large.
    """
    content = attempt(_stream, document, otherwise=b"")
    if not content or len(content) > _MOST_BYTES or b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        return {}
    try:
        xml = content.decode("cp949", "replace") if _KOREAN.match(content) else content
        root = ET.fromstring(xml)  # noqa: S314 - what makes XML dangerous is refused above
    except (ET.ParseError, ValueError, LookupError):
        return {}
    found: dict[str, str] = {}
    for name, text in _said(root):
        if text:
            found.setdefault(_FIELDS[name], text)
    return found


def _stream(document: Document) -> bytes:
    root = mupdf.pdf_dict_gets(mupdf.pdf_trailer(document.pdf), "Root")
    metadata = mupdf.pdf_dict_gets(root, "Metadata")
    if not mupdf.pdf_is_stream(metadata):
        return b""
    return bytes(mupdf.fz_buffer_extract_copy(mupdf.pdf_load_stream(metadata)))


def _said(root: Any) -> Iterator[tuple[str, str]]:
    """Every known property: an attribute of a description, or an element with text, or with a list of texts."""
    for description in root.iter(f"{_RDF}Description"):
        yield from ((name, text.strip()) for name, text in description.items() if name in _FIELDS)
        for element in description:
            if element.tag in _FIELDS:
                items = [text for item in element.iter(f"{_RDF}li") if (text := (item.text or "").strip())]
                joins = ", " if element.tag == f"{_DC}creator" else None  # of other lists, the first is the default
                yield element.tag, joins.join(items) if joins else (items or [(element.text or "").strip()])[0]
