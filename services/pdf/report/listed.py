"""The changes that somebody wants to have, as rows of a table."""

from collections.abc import Iterable, Mapping
from typing import Any

from papermesh.document.v1.report_pb2 import ReportFilter

_FACTS = ("n", "id", "op", "kind", "class", "derived", "cause", "uncertain", "confidence", "inside")

COLUMNS = (
    *_FACTS,
    "left address",
    "left",
    "left page",
    "right address",
    "right",
    "right page",
    "path",
)
"""The report's own script writes the same into its CSV files."""


def listed(changes: Iterable[Mapping[str, Any]], wanted: ReportFilter) -> list[Mapping[str, Any]]:
    """The changes that a filter keeps, in their order."""
    return [each for each in changes if _keeps(wanted, each)]


def row(change: Mapping[str, Any]) -> list[Any]:
    """A change in `COLUMNS`."""
    address = change["address"]
    sides = [
        value for side in ("left", "right") for value in (address[side], change[side]["text"], page_of(change[side]))
    ]
    return [*(change[name] for name in _FACTS), *sides, " > ".join(address["path"])]


def page_of(side: Mapping[str, Any]) -> int | str:
    """Where a side of a change begins, or where its text is missing; empty if nothing says that."""
    if side["regions"]:
        return int(side["regions"][0]["page"])
    return int(side["gap"]["page"]) if side.get("gap") else ""


def _keeps(wanted: ReportFilter, change: Mapping[str, Any]) -> bool:
    named = all(not among or change[field] in among for field, among in (("op", wanted.op), ("kind", wanted.kind)))
    return named and all(
        not wanted.HasField(field) or change[field] is getattr(wanted, field) for field in ("derived", "uncertain")
    )
