"""A page that can be drawn on a device, as a whole or only what touches an area."""

import math
from functools import cached_property
from typing import Any

from services.pdf.worker.boxes import Box
from services.pdf.worker.documents import raise_if_out_of_memory
from services.pdf.worker.mupdf import mupdf

EVERYWHERE = Box(-math.inf, -math.inf, math.inf, math.inf)
_UPRIGHT = mupdf.FzMatrix()


class CrowdedPageError(Exception):
    """The page has more letters or shapes than are examined."""


class Sheet:
    """A page that can be drawn."""

    def __init__(self, loaded: Any) -> None:
        """`loaded` is a mupdf.FzPage."""
        self._loaded = loaded
        self.box = edges(mupdf.fz_bound_page(loaded))
        """What is shown of it, as a reader sees it."""

    def draw(self, device: Any, area: Box = EVERYWHERE, scale: float = 1.0, cookie: Any = None) -> None:
        """Draws it on a device and closes that; a mupdf.FzCookie can end it before.

        With an area, in points, what lies elsewhere is passed over in C; so is text without any ink. The device meets
        the same things in the same order whenever the area is the same.

        Raises mupdf.FzErrorBase if MuPDF cannot draw the page, and MemoryError if what it draws takes too much of it.
        """
        cookie = cookie or mupdf.FzCookie()
        if area == EVERYWHERE:
            mupdf.fz_run_page(self._loaded, device, mupdf.fz_scale(scale, scale), cookie)
        else:
            scissor = mupdf.FzRect(*(scale * edge for edge in area))
            mupdf.fz_run_display_list(self._drawn, device, mupdf.fz_scale(scale, scale), scissor, cookie)
        mupdf.fz_close_device(device)

    @cached_property
    def _drawn(self) -> Any:
        """All that the page draws, as a mupdf.FzDisplayList."""
        drawn = mupdf.FzDisplayList(mupdf.fz_bound_page(self._loaded))
        device = mupdf.fz_new_list_device(drawn)
        try:
            mupdf.fz_run_page(self._loaded, device, _UPRIGHT, mupdf.FzCookie())
        except mupdf.FzErrorBase as error:
            raise_if_out_of_memory(error)
            raise
        mupdf.fz_close_device(device)
        return drawn


def edges(rect: Any) -> Box:
    """The edges of a rectangle of MuPDF's."""
    return Box(rect.x0, rect.y0, rect.x1, rect.y1)
