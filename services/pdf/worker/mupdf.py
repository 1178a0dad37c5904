"""PyMuPDF, imported in the one way that lets a process fork afterwards.

On import PyMuPDF loads its layout model and with it onnxruntime and numpy: 1.5 s, 150 MB and five threads, and a
process with threads cannot fork safely. So their import is refused, and PyMuPDF does without; `layout_model` loads the
model later, in one thread. Import pymupdf only from here.

Typed as Any: PyMuPDF claims to be typed, but its calls are not.
"""

import sys
from typing import Any

for _name in ("pymupdf.layout", "pymupdf4llm"):
    sys.modules.setdefault(_name, None)  # type: ignore[arg-type]  # None is how Python spells "refuse this import"

import pymupdf as _pymupdf  # noqa: E402  # after the refusals above

pymupdf: Any = _pymupdf
mupdf: Any = _pymupdf.mupdf
in_c: Any = _pymupdf.mupdf._mupdf  # noqa: SLF001  # a device is given pointers, which the binding's own calls refuse
"""MuPDF's calls as they are in C."""

# MuPDF's messages about broken files would collect in a list that only grows.
mupdf.fz_set_warning_callback(None)
mupdf.fz_set_error_callback(None)


def _accept_no_message(error: Any) -> None:
    """Lets the binding raise an error without a message, which it does if that is not UTF-8: MuPDF quotes the file."""
    make = error.__init__
    error.__init__ = lambda self, message="": make(self, message)


for _name in dir(mupdf):
    if _name.startswith("FzError") and _name != "FzErrorBase":
        _accept_no_message(getattr(mupdf, _name))
