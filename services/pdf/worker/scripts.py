"""JavaScript in a document: whether there is any. It is never run."""

from typing import Any

from services.pdf.worker.listing import CutShortError
from services.pdf.worker.mupdf import mupdf

_KEYS = ("A", "OpenAction")
"""Where one action stands; "AA" has one for each event."""

_MOST_ACTIONS = 50
"""Actions that are looked at in one place; each may name those that follow it."""


def has_script(item: Any) -> bool:
    """Whether an action of a catalogue, page, field or annotation is JavaScript (ISO 32000-2, 12.6).

    Raises mupdf.FzErrorBase when an action cannot be read, and CutShortError for more than 50 of them.
    """
    held = item.m_internal
    if held is None or not any(mupdf.ll_pdf_dict_gets(held, key) for key in ("AA", *_KEYS)):  # as for most
        return False
    ahead = [mupdf.pdf_dict_gets(item, key) for key in _KEYS]
    additional = mupdf.pdf_dict_gets(item, "AA")
    count = mupdf.pdf_dict_len(additional) if mupdf.pdf_is_dict(additional) else 0
    ahead += [mupdf.pdf_dict_get_val(additional, index) for index in range(min(count, _MOST_ACTIONS))]
    for _ in range(_MOST_ACTIONS):
        if not ahead:
            return False
        action = ahead.pop()
        if mupdf.pdf_is_array(action):  # of actions, or a destination, whose parts are none
            count = min(mupdf.pdf_array_len(action), _MOST_ACTIONS)
            ahead += [mupdf.pdf_array_get(action, index) for index in range(count)]
        elif mupdf.pdf_is_dict(action):
            kind = mupdf.pdf_to_name(mupdf.pdf_dict_gets(action, "S"))
            if kind == "JavaScript" or (kind == "Rendition" and mupdf.pdf_dict_gets(action, "JS").m_internal):
                return True
            ahead.append(mupdf.pdf_dict_gets(action, "Next"))
    raise CutShortError
