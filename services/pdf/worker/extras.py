"""What a document has besides the text of its pages, each part read by itself: a broken one costs only that part."""

import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import Any

from services.pdf.worker.annotations import MOST_PAGES, Annotated, read_annotations
from services.pdf.worker.attachments import read_attachments
from services.pdf.worker.claims import NO_CLAIMS, read_claims
from services.pdf.worker.documents import Document, raise_if_out_of_memory
from services.pdf.worker.forms import Form, find_fields, read_fields
from services.pdf.worker.listing import CutShortError, Listing
from services.pdf.worker.mupdf import mupdf
from services.pdf.worker.page_labels import read_page_labels
from services.pdf.worker.scripts import has_script
from services.pdf.worker.signatures import read_signatures
from services.pdf.worker.trees import walk

_SECONDS = 2.0
"""Of processor time. After this long, lists end: a file that is made to be slow costs no more."""

_LISTS = ("page_labels", "form_fields", "comments", "links", "attachments", "signatures")
_FIELDS = (*_LISTS, "portfolio", "pdf_a", "pdf_ua", "tagged", "javascript", "xfa", "language")
"""In the order of the proto."""

_KEYS = ("AA", "AcroForm", "AF", "Collection", "Lang", "MarkInfo", "Names", "OpenAction", "PageLabels")
"""What a catalogue may have that matters here. Most have little of it, and nobody looks twice for what is not there."""


def read_extras(document: Document, annotated: Annotated, xmp: Mapping[str, str]) -> dict[str, Any]:
    """The fields of GetMetadataResponse from `page_labels` on.

    `annotated` has the pages that were looked at, and `xmp` is what `read_xmp` gave.
    """
    end = time.process_time() + _SECONDS
    lists = {name: Listing(end) for name in _LISTS}
    labels, fields, comments, links, attachments, signatures = lists.values()
    claims: dict[str, Any] = dict(NO_CLAIMS)
    form = Form()
    is_scripted = False
    truncated: set[str] = set()

    catalog = mupdf.pdf_dict_gets(mupdf.pdf_trailer(document.pdf), "Root")
    held = {key for key in _KEYS if mupdf.ll_pdf_dict_gets(catalog.m_internal, key)}
    if "PageLabels" in held:
        with _part(truncated, "page_labels"):
            read_page_labels(document, catalog, labels)
    if annotated.pages or document.page_count > MOST_PAGES:
        with _part(truncated, "comments", "links", "attachments", "javascript"):
            read_annotations(document, annotated, comments, links)
    if "AcroForm" in held or annotated.widgets:
        with _part(truncated, "form_fields", "signatures", "javascript"):
            find_fields(mupdf.pdf_dict_gets(catalog, "AcroForm"), annotated.widgets, form, fields.is_late)
        with _part(truncated, "form_fields"):
            read_fields(form, annotated.widgets, fields)
        with _part(truncated, "signatures"):
            read_signatures(document, form.fields, signatures)
    if held & {"AA", "Names", "OpenAction"}:
        with _part(truncated, "javascript"):
            is_scripted = has_script(catalog) or _names_script(catalog)
    if held & {"AF", "Names"} or annotated.files:
        with _part(truncated, "attachments"):
            read_attachments(catalog, annotated.files, attachments)
    if held or xmp:
        with _part(truncated, *NO_CLAIMS):
            claims = read_claims(catalog, xmp)

    truncated.update(name for name, each in lists.items() if each.is_cut)
    found = {name: each.entries for name, each in lists.items()} | claims
    found["javascript"] = is_scripted or form.scripted or annotated.scripted
    return {name: found[name] for name in _FIELDS} | {"truncated": [name for name in _FIELDS if name in truncated]}


@contextlib.contextmanager
def _part(truncated: set[str], *fields: str) -> Iterator[None]:
    """Reads what these fields are about; if not all of it can be read, they are truncated."""
    try:
        yield
    except CutShortError:
        truncated.update(fields)
    except mupdf.FzErrorBase as error:
        raise_if_out_of_memory(error)
        truncated.update(fields)


def _names_script(catalog: Any) -> bool:
    """Whether scripts stand under names, where they run as soon as the document is opened."""
    tree = mupdf.pdf_dict_gets(mupdf.pdf_dict_gets(catalog, "Names"), "JavaScript")
    return any(True for _ in walk(tree, "Names"))
