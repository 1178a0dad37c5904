"""What a document claims to be: nothing here is checked against its content."""

from collections.abc import Mapping
from typing import Any

from services.pdf.worker.listing import name_of
from services.pdf.worker.mupdf import mupdf
from services.pdf.worker.strings import fold

_LONGEST = 16
"""Characters of a claim: "2B", "4F", "1"."""

NO_CLAIMS: Mapping[str, Any] = {
    "pdf_a": "", "pdf_ua": "", "tagged": False, "language": "", "portfolio": False, "xfa": False,
}  # fmt: skip


def read_claims(catalog: Any, xmp: Mapping[str, str]) -> dict[str, Any]:
    """PDF/A and PDF/UA as its XMP says, tags, the language, and whether it is a portfolio or an XFA form.

    Raises mupdf.FzErrorBase when the catalogue cannot be read.
    """
    is_marked = mupdf.pdf_dict_gets(mupdf.pdf_dict_gets(catalog, "MarkInfo"), "Marked")
    has_tags = mupdf.pdf_is_dict(mupdf.pdf_dict_gets(catalog, "StructTreeRoot"))
    pdf_a = xmp.get("pdf_a_part", "") and xmp["pdf_a_part"] + xmp.get("pdf_a_conformance", "").upper()
    return {
        "pdf_a": fold(pdf_a)[:_LONGEST],
        "pdf_ua": fold(xmp.get("pdf_ua_part", ""))[:_LONGEST],
        "tagged": bool(mupdf.pdf_to_bool(is_marked) and has_tags),
        "language": name_of(catalog, "Lang"),
        "portfolio": bool(mupdf.pdf_is_dict(mupdf.pdf_dict_gets(catalog, "Collection"))),
        "xfa": bool(mupdf.pdf_dict_gets(mupdf.pdf_dict_gets(catalog, "AcroForm"), "XFA").m_internal),
    }
