"""PyMuPDF, imported in the one way that a process may fork afterwards.

On import PyMuPDF loads its layout model and with it onnxruntime and numpy: 1.5 s, 150 MB and five threads, and a process
with threads cannot fork safely. Nothing here needs them, so their import is refused; PyMuPDF goes on without. Import
pymupdf from here only.
"""

import sys

for _name in ("pymupdf.layout", "pymupdf4llm"):
    sys.modules.setdefault(_name, None)  # type: ignore[arg-type]  # None is how Python spells "refuse this import"

import pymupdf  # noqa: E402  # after the refusals above
from pymupdf import mupdf  # noqa: E402  # likewise

# What MuPDF has to say about a broken file would be collected in a list that only grows.
mupdf.fz_set_warning_callback(None)
mupdf.fz_set_error_callback(None)

__all__ = ["mupdf", "pymupdf"]
