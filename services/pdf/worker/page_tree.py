"""A file's tree of pages. A wrong /Count would hide pages, or make MuPDF refuse a file whose pages are all there."""

from typing import Any

from services.pdf.worker.mupdf import mupdf

_MOST_NODES = 2_000
"""Nodes that are looked at in a tree that may well be right; it has about one for ten pages."""

_MOST_DEPTH = 100

_ROOT = mupdf.pdf_new_name("Root")
_PAGES = mupdf.pdf_new_name("Pages")
_KIDS = mupdf.pdf_new_name("Kids")
_COUNT = mupdf.pdf_new_name("Count")


def mend_counts(pdf: Any) -> None:
    """Makes each node's /Count what its leaves come to, unless that is so; only in memory.

    Raises mupdf.FzErrorBase when the tree cannot be read.
    """
    top = mupdf.pdf_dict_get(mupdf.pdf_dict_get(mupdf.pdf_trailer(pdf), _ROOT), _PAGES)
    if _is_node(top) and not _adds_up(top):
        _recount(top, {mupdf.pdf_to_num(top)}, 0)


def _is_node(item: Any) -> bool:
    return bool(mupdf.pdf_is_array(mupdf.pdf_dict_get(item, _KIDS)))


def _count(node: Any) -> int:
    count: int = mupdf.pdf_to_int(mupdf.pdf_dict_get(node, _COUNT))
    return count


def _adds_up(top: Any) -> bool:
    """Whether the counts agree with each other. Where a node counts as many pages as it has kids, these are leaves."""
    ahead = [top]
    for _ in range(_MOST_NODES):
        if not ahead:
            return True
        node = ahead.pop()
        kids, count = mupdf.pdf_dict_get(node, _KIDS), _count(node)
        length = mupdf.pdf_array_len(kids)
        if length == count:
            continue
        if length > count:
            return False
        found = [mupdf.pdf_array_get(kids, index) for index in range(length)]
        nodes = [kid for kid in found if _is_node(kid)]
        if sum(map(_count, nodes)) + length - len(nodes) != count:
            return False
        ahead += nodes
    return True


def _recount(node: Any, seen: set[int], depth: int) -> int:
    """The pages below a node, now its /Count. What is no page, or was met before, is taken out of it."""
    kids = mupdf.pdf_dict_get(node, _KIDS)
    count = 0
    for index in reversed(range(mupdf.pdf_array_len(kids))):
        kid = mupdf.pdf_array_get(kids, index)
        number = mupdf.pdf_to_num(kid)
        if not mupdf.pdf_is_dict(kid) or (number and number in seen) or depth >= _MOST_DEPTH:
            mupdf.pdf_array_delete(kids, index)
            continue
        seen.add(number)
        count += _recount(kid, seen, depth + 1) if _is_node(kid) else 1
    mupdf.pdf_dict_put_int(node, _COUNT, count)
    return count
