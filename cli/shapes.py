"""What kind of thing a part of a result is, so that it can be drawn without knowing which action made it."""

from collections.abc import Iterator
from typing import Any

_LONG = 200
"""Characters: a longer text is read, not looked up in a table."""

_WIDE = 40
"""Cells: a longer list is no row of a table."""

_FEW = 8
"""Items: a longer list of numbers is a vector, and nobody reads it."""


def is_scalar(value: Any) -> bool:
    """A value that fits in a cell."""
    return not isinstance(value, dict | list) and not is_long(value)


def is_number(value: Any) -> bool:
    """A number, or nothing where the others have one."""
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def is_long(value: Any) -> bool:
    """A text of several lines or of many words."""
    return isinstance(value, str) and ("\n" in value.strip() or len(value) > _LONG)


def is_scalar_list(value: Any) -> bool:
    """A list that can be written in one line."""
    return isinstance(value, list) and bool(value) and all(map(is_scalar, value))


def is_flat(value: Any) -> bool:
    """An object that can be a row of a table."""
    return isinstance(value, dict) and all(
        is_scalar(item) or item == [] or is_scalar_list(item) for item in value.values()
    )


def is_table(value: Any) -> bool:
    """A list of rows."""
    return isinstance(value, list) and bool(value) and all(map(is_flat, value))


def is_texts(value: Any) -> bool:
    """A list of texts, each with a little about it: the pages of a document, its pieces."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, dict) and isinstance(item.get("text"), str) for item in value)
        and all(is_scalar(part) for item in value for key, part in item.items() if key != "text")
    )


def grid(value: Any) -> list[list[Any]] | None:
    """The cells of a table without column names: a list of lists, or of objects that are nothing but a list."""
    if not isinstance(value, list) or not value:
        return None
    rows = [next(iter(row.values())) if isinstance(row, dict) and len(row) == 1 else row for row in value]
    return rows if all((is_scalar_list(row) and len(row) <= _WIDE) or row == [] for row in rows) else None


def facts(value: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """What can be said of an object in a cell each, objects inside it included: "pages", "info.title"."""
    for key, item in value.items():
        if is_scalar(item) or is_scalar_list(item) or item == []:
            yield f"{above}{key}", item
        elif is_flat(item):
            yield from facts(item, f"{above}{key}.")


def sections(value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What is left: long texts, tables and whatever is nested deeper."""
    for key, item in value.items():
        rows = isinstance(item, list) and bool(item) and not is_scalar_list(item)
        if rows or is_long(item) or (isinstance(item, dict) and not is_flat(item)):
            yield key, item


def cell(value: Any) -> str:
    """A value in a cell."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4f}".rstrip("0").rstrip(".")
    if isinstance(value, list):
        shown = [cell(item) for item in value]
        if len(value) > _FEW and not any(isinstance(item, str) for item in value):
            return f"{', '.join(shown[:3])}, … ({len(value)} values)"
        return ", ".join(shown) or "none"
    return str(value)
