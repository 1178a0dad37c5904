"""Comparisons that never took place, as PDF_DIFF answers them."""

from typing import Any

NO_SIDE: dict[str, Any] = {"text": "", "regions": [], "inner": [], "before": "", "after": "", "gap": None}


def box(x0: float, y0: float, x1: float, y1: float) -> dict[str, float]:
    """A Rectangle."""
    return {"x0": x0, "y0": y0, "x1": x1, "y1": y1}


def side(text: str, page: int, y: float = 100.0) -> dict[str, Any]:
    """Text on a line of its own."""
    region = {"page": page, "bbox": [box(72, y, 172, y + 12)], "span": {"start": 0, "end": len(text)}}
    return {**NO_SIDE, "text": text, "regions": [region], "inner": [{"start": 0, "end": len(text)}]}


def gap(page: int, y: float = 100.0) -> dict[str, Any]:
    """Where the other side's text is missing."""
    return {**NO_SIDE, "gap": {"page": page, "bbox": box(72, y, 73, y + 12)}}


def change(n: int, op: str, left: dict[str, Any], right: dict[str, Any], **said: Any) -> dict[str, Any]:
    """A change of an article of its own, unless `said` says more."""
    address = {"left": f"제{n}조", "right": f"제{n}조", "path": ["제1장 총칙", f"제{n}조"], "cell": None}
    usual = {"kind": "text", "class": "wording", "derived": False, "cause": "", "uncertain": False, "confidence": 1.0}
    where = {"inside": "", "address": address, "left": left, "right": right, "format": None}
    return {"id": f"c-{n:04x}", "n": n, "op": op, **usual, **where, **said}


def comparison(*changes: dict[str, Any], pages: int = 1, **said: Any) -> dict[str, Any]:
    """DiffResponse with these changes."""
    document = {"pages": pages, "pages_compared": pages, "unreadable": [], "ocr_pages": []}
    counted = [each for each in changes if not each["derived"] and not each["uncertain"]]
    ops = [each["op"] for each in counted]
    summary = {
        "changes": len(counted),
        "derived": sum(each["derived"] for each in changes),
        "uncertain": sum(each["uncertain"] for each in changes),
        "furniture": 0,
        "warnings": 0,
        "by_op": {op: ops.count(op) for op in ops},
        "by_kind": {},
        "pages_affected": {"left": [], "right": []},
    }
    usual = {
        "report_id": "",
        "report_url": "",
        "engine": "test",
        "relation": "revision",
        "similarity": 0.9,
        "complete": True,
        "message": f"{len(counted)} changes. Nothing else changed.",
        "left": {"sha256": "a" * 64, **document},
        "right": {"sha256": "b" * 64, **document},
        "summary": summary,
        "changes": list(changes),
        "warnings": [],
        "truncated": False,
        "json": "",
    }
    return {**usual, **said}
