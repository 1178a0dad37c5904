"""PyMuPDF, imported in the one way that a process may fork afterwards.

On import PyMuPDF loads its layout model and with it onnxruntime and numpy: 1.5 s, 150 MB and five threads, and a
process with threads cannot fork safely. Nothing here needs them, so their import is refused, and PyMuPDF goes on
without. Import pymupdf from here only.

Typed as Any: PyMuPDF says that it is typed, and its calls are not.
"""

import sys
from typing import Any

for _name in ("pymupdf.layout", "pymupdf4llm"):
    sys.modules.setdefault(_name, None)  # type: ignore[arg-type]  # None is how Python spells "refuse this import"

import pymupdf as _pymupdf  # noqa: E402  # after the refusals above

pymupdf: Any = _pymupdf
mupdf: Any = _pymupdf.mupdf

# What MuPDF has to say about a broken file would be collected in a list that only grows.
mupdf.fz_set_warning_callback(None)
mupdf.fz_set_error_callback(None)
