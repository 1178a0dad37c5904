"""A result drawn for people, by its shape alone: facts, tables and text, whichever action made it."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from cli.shapes import (
    as_grid,
    box_of,
    is_data,
    is_flat,
    is_long,
    is_number,
    is_scalar,
    is_scalar_list,
    is_table,
    is_texts,
)
from cli.terminal import err, harmless_value, out, table_of, write

_RULE_WIDTH = 80
_FAILURES = "failures"
"""Every partial result has a list of this name: the pages that could not be read."""

_UNREMARKABLE = {"confidence": 1, "level": 0, "depth": 0}
"""Not worth saying for each page or block."""

_REMARK = 40
"""Characters: a longer text does not fit into a rule."""

_FEW = 8
"""Items: a longer list of numbers is a vector, and nobody reads it."""


def show_result(data: Any, meta: dict[str, Any]) -> None:
    """Prints a result; what it lacks, and how it was made, go to standard error."""
    console, data, meta = out(), harmless_value(data), harmless_value(meta)
    if isinstance(data, dict):
        _object(console, {key: value for key, value in data.items() if key != _FAILURES})
        show_failures(data.get(_FAILURES))
    else:
        _section(console, "result", data)
    _meta(meta)


def _object(console: Console, value: dict[str, Any]) -> None:
    facts = list(_facts(value))
    sections = list(_sections(value))
    if facts:
        table = table_of(header=False)
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for name, fact in facts:
            table.add_row(name, _cell(fact))
        console.print(table)
    for position, (name, section) in enumerate(sections):
        if position or facts:
            console.print()
        _section(console, name, section)
    if not facts and not sections:
        console.print("(an empty result)")


def _section(console: Console, name: str, value: Any) -> None:
    if isinstance(value, str):
        _rule(console, name)
        write(value)
    elif is_texts(value):
        _texts(console, value)
    elif (cells := as_grid(value)) is not None:
        _grid(console, name, cells)
    elif is_table(value):
        _rows(console, name, value)
    elif isinstance(value, list) and value:
        for number, item in enumerate(value, start=1):
            _item(console, name, number, item)
    elif isinstance(value, dict):
        _rule(console, name)
        _object(console, value)
    else:
        console.print(_cell(value))


def _item(console: Console, name: str, number: int, item: Any) -> None:
    """One of several things that are nested too deeply for a table."""
    if not isinstance(item, dict):
        _section(console, f"{name} {number}", item)
        return
    text = item.get("text")
    about = {key: value for key, value in item.items() if key != "text" and is_scalar(value) and not _is_wide(value)}
    _rule(console, f"{name} {number}" + "".join(f" · {fact}" for fact in _remarks(about)))
    if isinstance(text, str):
        write(text)
    rest = {
        key: value for key, value in item.items() if key not in about and not (key == "text" and isinstance(text, str))
    }
    if rest:
        _object(console, rest)


def _texts(console: Console, items: list[dict[str, Any]]) -> None:
    """Texts one after another, each under a rule with its name."""
    for number, item in enumerate(items, start=1):
        about = _remarks({key: value for key, value in item.items() if key != "text"})
        _rule(console, " · ".join(about) or f"text {number}")
        write(item["text"].rstrip("\n") + "\n")


def _remarks(about: dict[str, Any]) -> list[str]:
    """The facts that are true or have a value: "page 3", "ocr"."""
    return [
        key if value is True else f"{key} {_cell(value)}"
        for key, value in about.items()
        if value is not False and value not in (None, "") and _UNREMARKABLE.get(key) != value
    ]


def _is_wide(value: Any) -> bool:
    return isinstance(value, str) and len(value) > _REMARK


def _rows(console: Console, name: str, rows: list[dict[str, Any]]) -> None:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    console.print(name, style="bold cyan")
    table = table_of()
    for column in columns:
        numbers = all(is_number(row.get(column)) for row in rows)
        table.add_column(column, justify="right" if numbers else "left", overflow="fold")
    outline = next((key for key in columns if isinstance(rows[0].get(key), str)), None)
    for row in rows:
        cells = {key: _cell(row.get(key)) for key in columns}
        level = row.get("level")
        if outline and isinstance(level, int) and level > 1:
            # A row that knows its level is a line of an outline.
            cells[outline] = "  " * min(level - 1, 10) + cells[outline]
        table.add_row(*cells.values())
    console.print(table)


def _grid(console: Console, name: str, rows: list[list[Any]]) -> None:
    console.print(name, style="bold cyan")
    table = table_of(header=False)
    for _ in range(max(map(len, rows))):
        table.add_column(overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    console.print(table)


def _rule(console: Console, title: str) -> None:
    dash = "─" if (console.encoding or "").startswith("utf") else "-"
    line = Text(f"{dash * 2} {title} ", style="bold cyan", no_wrap=True)
    line.append(dash * (min(console.width, _RULE_WIDTH) - line.cell_len))
    console.print(line, overflow="ellipsis")


def show_failures(failures: Any) -> None:
    """Says what the result lacks: on standard error, to be seen even if the result goes to a file."""
    if not isinstance(failures, list) or not failures:
        return
    console = err()
    many = f"{len(failures)} pages" if len(failures) > 1 else "1 page"
    console.print(f"Partial result: {many} could not be read.", style="bold yellow")
    for failure in failures:
        about = failure if isinstance(failure, dict) else {"failure": failure}
        console.print(
            f"  page {about.get('page', '?')}: "
            + ": ".join(str(value) for key, value in about.items() if key != "page"),
            style="yellow",
        )


def _meta(meta: dict[str, Any]) -> None:
    parts = [f"{meta['latency_ms']} ms"] if "latency_ms" in meta else []
    parts += [f"cache {meta['cache']}"] if meta.get("cache") not in (None, "none") else []
    parts += [f"request {meta['request_id']}"] if meta.get("request_id") else []
    if parts:
        err().print(" · ".join(map(str, parts)), style="dim")


def _facts(value: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """The facts of an object that fit into a cell, also from objects inside it: "pages", "info.title"."""
    for key, item in value.items():
        if is_scalar(item) or is_scalar_list(item) or item == []:
            yield f"{above}{key}", item
        elif is_flat(item):
            yield from _facts(item, f"{above}{key}.")


def _sections(value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The rest: long texts, tables and anything nested more deeply."""
    for key, item in value.items():
        rows = isinstance(item, list) and bool(item) and not is_scalar_list(item)
        if rows or is_long(item) or (isinstance(item, dict) and not is_flat(item)):
            yield key, item


def _cell(value: Any) -> str:
    """A value in a cell."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4f}".rstrip("0").rstrip(".")
    box = box_of(value)
    if box or isinstance(value, list):
        return _several(box or value)
    return f"{value[:12]}… ({len(value):,} characters)" if is_data(value) else str(value)


def _several(values: Sequence[Any]) -> str:
    """A list in a cell."""
    shown = [_cell(item) for item in values]
    if len(values) > _FEW and not any(isinstance(item, str) for item in values):
        return f"{', '.join(shown[:3])}, … ({len(values)} values)"
    return ", ".join(shown) or "none"
