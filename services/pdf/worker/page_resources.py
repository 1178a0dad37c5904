"""What the resources of a page tell of how it is drawn, before it is."""

from collections.abc import Iterator
from typing import Any

from services.pdf.worker.documents import Document
from services.pdf.worker.mupdf import mupdf

LEAST_OPACITY = 0.1
"""What is drawn with less cannot be seen."""

_MOST_FORMS = 100
"""Forms and annotations whose resources are looked at, and entries of each dictionary."""

_RESOURCES = mupdf.pdf_new_name("Resources")
_STATES = mupdf.pdf_new_name("ExtGState")
_OBJECTS = mupdf.pdf_new_name("XObject")
_ANNOTATIONS = mupdf.pdf_new_name("Annots")
_FILL_OPACITY = mupdf.pdf_new_name("ca")
_APPEARANCE = mupdf.pdf_new_name("AP")
_NORMAL = mupdf.pdf_new_name("N")
_MASK = mupdf.pdf_new_name("SMask")


class PageResources:
    """What the resources of a page and of its annotations name, and those of forms in them."""

    def __init__(self, document: Document, page: int) -> None:
        self.are_faint = False
        """Something may be drawn through a mask or with next to no opacity, which the looks of letters do not tell."""

        self.have_pictures = False
        leaf = mupdf.pdf_lookup_page_obj(document.pdf, page - 1)
        forms = [mupdf.pdf_dict_get_inheritable(leaf, _RESOURCES)]
        annotations = mupdf.pdf_dict_get(leaf, _ANNOTATIONS)
        for index in range(min(mupdf.pdf_array_len(annotations), _MOST_FORMS)):
            appearance = mupdf.pdf_dict_get(mupdf.pdf_array_get(annotations, index), _APPEARANCE)
            if not appearance.m_internal:
                continue  # as most links have none
            forms.append(mupdf.pdf_dict_get(mupdf.pdf_dict_get(appearance, _NORMAL), _RESOURCES))
        for resources in forms:  # grows as it goes
            self.are_faint = self.are_faint or any(map(_is_faint, _values(mupdf.pdf_dict_get(resources, _STATES))))
            for drawn in _values(mupdf.pdf_dict_get(resources, _OBJECTS)):
                inner = mupdf.pdf_dict_get(drawn, _RESOURCES)
                if not inner.m_internal:
                    self.have_pictures = True
                elif len(forms) < _MOST_FORMS:
                    forms.append(inner)


def _is_faint(state: Any) -> bool:
    opacity = mupdf.pdf_dict_get(state, _FILL_OPACITY)
    if opacity.m_internal and mupdf.pdf_to_real(opacity) < LEAST_OPACITY:
        return True
    return bool(mupdf.pdf_is_dict(mupdf.pdf_dict_get(state, _MASK)))


def _values(dictionary: Any) -> Iterator[Any]:
    for index in range(min(mupdf.pdf_dict_len(dictionary), _MOST_FORMS)):
        yield mupdf.pdf_dict_get_val(dictionary, index)
