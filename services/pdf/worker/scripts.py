"""JavaScript in a document: whether there is any. It is never run."""

from typing import Any

from services.pdf.worker.listing import CutShortError
from services.pdf.worker.mupdf import mupdf

_MOST_ACTIONS = 50
"""Actions that are looked at in one place: it may have one for each event, and each may name those that follow it."""


def has_script(item: Any) -> bool:
    """Whether an action of a catalogue, page, field or annotation is JavaScript (ISO 32000-2, 12.6).

    Raises mupdf.FzErrorBase when an action cannot be read, and CutShortError for more than 50 of them.
    """
    # The binding's own pointers cost a third of its objects, and most calls are for annotations without a script.
    holder = item.m_internal
    ahead = [found for key in ("A", "OpenAction") if (found := mupdf.ll_pdf_dict_gets(holder, key))]
    if additional := mupdf.ll_pdf_dict_gets(holder, "AA"):
        count = min(mupdf.ll_pdf_dict_len(additional), _MOST_ACTIONS)
        ahead += [mupdf.ll_pdf_dict_get_val(additional, index) for index in range(count)]
    for _ in range(_MOST_ACTIONS):
        if not ahead:
            return False
        action = ahead.pop()
        if mupdf.ll_pdf_is_array(action):  # of actions, or a destination, whose parts are none
            count = min(mupdf.ll_pdf_array_len(action), _MOST_ACTIONS)
            ahead += [mupdf.ll_pdf_array_get(action, index) for index in range(count)]
            continue
        kind = mupdf.ll_pdf_to_name(mupdf.ll_pdf_dict_gets(action, "S"))
        if kind == "JavaScript" or (kind == "Rendition" and mupdf.ll_pdf_dict_gets(action, "JS")):
            return True
        if following := mupdf.ll_pdf_dict_gets(action, "Next"):
            ahead.append(following)
    raise CutShortError
