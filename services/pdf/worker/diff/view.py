"""PDF_DIFF: what was read of two documents, compared, as JSON."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from services.pdf.processes.wire import CONTENT
from services.pdf.worker.diff.changes import Change
from services.pdf.worker.diff.compare import Comparison, compare
from services.pdf.worker.diff.granularity import told_by
from services.pdf.worker.diff.pictures import take
from services.pdf.worker.diff.result import class_of, described
from services.pdf.worker.failures import PageFailure
from services.pdf.worker.readings import Readings, UnfitReadingsError
from services.pdf.worker.views import Outcome

_SIDES = ("left", "right")
_LAYOUT = frozenset(["image", "furniture"])
"""The kinds of change that are of the layout, as every change of format is."""


def describe(arguments: Mapping[str, Any]) -> Outcome:
    """DiffResponse as JSON text, all fields present but those of the report.

    Among the arguments are what was read of both documents, `left` and `right`, their digests, `sha256`, and what was
    seen of their pictures, `pictures`. If some readings are none, the header's `unfit` names their pages for each side.
    """
    readings: list[Readings] = []
    unfit: list[list[int]] = []
    for given in _given(arguments):
        try:
            readings.append(Readings.take(given))
            unfit.append([])
        except UnfitReadingsError as error:
            unfit.append([*error.pages])
    if any(unfit):
        return {"unfit": unfit}, b""
    left, right = readings
    pictures = [arguments["pictures"][side] for side in _SIDES]
    found = compare(left, right, (take(pictures[0], {}), take(pictures[1], pictures[0])))
    return {}, orjson.dumps(_response(found, left, right, arguments))


def _given(arguments: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """The arguments of `Readings.take` for each side: the content has the left document's readings first."""
    content = arguments[CONTENT]
    start = 0
    for side in _SIDES:
        length = sum(length for _, length in arguments[side]["found"])
        yield {"readings": arguments[side], CONTENT: content[start : start + length]}
        start += length


def _response(found: Comparison, left: Readings, right: Readings, arguments: Mapping[str, Any]) -> dict[str, Any]:
    unreadable = [_unreadable(side) for side in (left, right)]
    digests = arguments["sha256"]
    chosen = list(_chosen(found.changes, arguments["mode"], arguments["ignore"]))
    found.changes = told_by(arguments["granularity"], chosen, found.flows)
    said = described(found, arguments["max_changes"])
    said["changes"] = [] if arguments["output"] == "summary" else [_change(each) for each in said["changes"]]
    if digests[0] == digests[1] and left.asked == right.asked:
        said["relation"] = "same_bytes"
    said["complete"] &= not any(unreadable)
    for name, readings, digest, missing in zip(_SIDES, (left, right), digests, unreadable, strict=True):
        said[name] = {
            "sha256": digest,
            "pages": readings.page_count,
            "pages_compared": len(readings),
            "unreadable": missing,
            "ocr_pages": [page for page, reading in readings.items() if reading.ocr],
        }
    if lacking := sum(map(len, unreadable)):
        said["message"] += f" {lacking} pages could not be read, and are not compared."
    return {"report_id": "", "report_url": "", "engine": arguments["engine"], **said}


def _chosen(changes: Iterable[Change], mode: str, ignore: Collection[str]) -> Iterator[Change]:
    """The changes that the caller asks for."""
    for change in changes:
        is_layout = change.op == "format" or change.kind in _LAYOUT
        if mode == ("text" if is_layout else "layout"):
            continue
        if change.op == "format" and "format" in ignore:
            continue
        if change.op == "modify" and class_of(change) in ignore:
            continue
        yield change


def _change(change: dict[str, Any]) -> dict[str, Any]:
    """A change with each thing under a name of its own."""
    address = {name: change["address"][name] or "" for name in _SIDES}
    return change | {
        "cause": change["cause"] or "",
        "inside": change["inside"] or "",
        "address": address | {"path": change["address"]["path"], "cell": change["address"].get("cell")},
        "left": _side(change["left"] or {}),
        "right": _side(change["right"] or {}),
        "format": _format(change.get("format")),
    }


def _side(side: dict[str, Any]) -> dict[str, Any]:
    regions = [
        {"page": each["page"], "bbox": [_rectangle(box) for box in each["bbox"]], "span": _range(each.get("span"))}
        for each in side.get("regions", ())
    ]
    gap = side.get("gap")
    return {
        "text": side.get("text", ""),
        "regions": regions,
        "inner": [_range(each) for each in side.get("inner", ())],
        "before": side.get("before", ""),
        "after": side.get("after", ""),
        "gap": gap and {"page": gap["page"], "bbox": _rectangle(gap["bbox"])},
    }


def _range(edges: Sequence[int] | None) -> dict[str, int] | None:
    return None if edges is None else dict(zip(("start", "end"), edges, strict=True))


def _rectangle(box: Sequence[float]) -> dict[str, float]:
    return dict(zip(("x0", "y0", "x1", "y1"), box, strict=True))


def _format(changed: Mapping[str, list[Any]] | None) -> dict[str, list[Any]] | None:
    return None if changed is None else {name: changed.get(name, []) for name in ("bold", "italic", "size", "font")}


def _unreadable(readings: Readings) -> list[PageFailure]:
    """The pages that could not be read, or only in part."""
    found = list(readings.failures)
    for page, reading in readings.items():
        if reading.want:
            what = "letters whose meaning the file does not say" if reading.want == "unmapped" else "a picture of text"
            found.append({"page": page, "reason": "SCAN", "message": f"The page has {what}, which was not recognised."})
    return sorted(found, key=lambda each: each["page"])
