"""A new view, as somebody would add one to `services/pdf/worker/`: the size of each page's sheet."""

from collections.abc import Mapping
from typing import Any

from services.pdf.worker.documents import Document
from services.pdf.worker.mupdf import mupdf
from services.pdf.worker.paged import Lists


def read_page(document: Document, page: int, arguments: Mapping[str, Any]) -> Lists:
    """PageLayout without blocks, in units of which `arguments["per_point"]` are a point."""
    sheet = mupdf.fz_bound_page(mupdf.pdf_load_page(document.pdf, page - 1).super())
    width, height = (side * arguments["per_point"] for side in (sheet.x1 - sheet.x0, sheet.y1 - sheet.y0))
    return {"pages": [{"page": page, "width": width, "height": height, "blocks": []}]}
