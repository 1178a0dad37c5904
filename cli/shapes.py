"""What a value of a result is: a cell, a row, a table, a text, or something nested more deeply."""

from typing import Any

_LONG = 200
"""Characters: a longer text is for reading, not for a table."""

_WIDE = 40
"""Cells: a longer list is not a row of a table."""

_EDGES = ("x0", "y0", "x1", "y1")


def is_scalar(value: Any) -> bool:
    """A value that fits in a cell."""
    return box_of(value) is not None or (not isinstance(value, dict | list) and not is_long(value))


def is_number(value: Any) -> bool:
    """A number, or nothing where the others have one."""
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def is_long(value: Any) -> bool:
    """A text of several lines or of many words."""
    return isinstance(value, str) and ("\n" in value.strip() or len(value) > _LONG) and not is_data(value)


def is_data(value: Any) -> bool:
    """Bytes as text, such as a vector or a picture in base64, which nobody reads."""
    return isinstance(value, str) and len(value) > _LONG and value.isascii() and not any(map(str.isspace, value))


def box_of(value: Any) -> list[Any] | None:
    """The edges of a box: from the left, from the top, and of the opposite corner. None for anything else."""
    is_box = isinstance(value, dict) and value.keys() == set(_EDGES) and all(map(is_number, value.values()))
    return [value[edge] for edge in _EDGES] if is_box else None


def is_scalar_list(value: Any) -> bool:
    """Whether a list fits on one line."""
    return isinstance(value, list) and bool(value) and not any(map(box_of, value)) and all(map(is_scalar, value))


def is_flat(value: Any) -> bool:
    """An object that can be a row of a table."""
    return isinstance(value, dict) and all(
        is_scalar(item) or item == [] or is_scalar_list(item) for item in value.values()
    )


def is_table(value: Any) -> bool:
    """A list of rows."""
    return isinstance(value, list) and bool(value) and all(map(is_flat, value))


def is_texts(value: Any) -> bool:
    """A list of texts, each with a few facts: a document's pages or pieces."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, dict) and isinstance(item.get("text"), str) for item in value)
        and all(is_scalar(part) for item in value for key, part in item.items() if key != "text")
    )


def as_grid(value: Any) -> list[list[Any]] | None:
    """The cells of a table without column names: a list of lists, or of objects that only hold a list."""
    if not isinstance(value, list) or not value:
        return None
    rows = [_cells(next(iter(row.values())) if isinstance(row, dict) and len(row) == 1 else row) for row in value]
    return rows if all((is_scalar_list(row) and len(row) <= _WIDE) or row == [] for row in rows) else None


def _cells(row: Any) -> Any:
    """A row whose cells are texts in numbered columns as a list of these; empty under a cell that spans rows."""
    if not isinstance(row, list) or not is_texts(row) or not all(_is_placed(cell) for cell in row):
        return row
    columns = {cell["column"]: " ".join(cell["text"].split()) for cell in row}
    return [columns.get(column, "") for column in range(max(columns) + 1)]


def _is_placed(cell: dict[str, Any]) -> bool:
    column = cell.get("column")
    return isinstance(column, int) and 0 <= column < _WIDE
