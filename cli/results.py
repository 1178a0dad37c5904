"""A result drawn for a person, by its shape alone: facts, tables and text, whichever action made it."""

from typing import Any

from rich.console import Console
from rich.text import Text

from cli import shapes
from cli.terminal import err, harmless_value, out, table_of, write

_RULE_WIDTH = 80
_FAILURES = "failures"
"""Every partial result has a list of this name: the pages that could not be read."""

_UNREMARKABLE = {"confidence": 1}
"""What is not worth saying of each page."""


def show_result(data: Any, meta: dict[str, Any]) -> None:
    """Prints a result; what is missing from it and how it was made go to standard error."""
    console, data, meta = out(), harmless_value(data), harmless_value(meta)
    if isinstance(data, dict):
        _object(console, {key: value for key, value in data.items() if key != _FAILURES})
        _failures(data.get(_FAILURES))
    else:
        _section(console, "result", data)
    _meta(meta)


def _object(console: Console, value: dict[str, Any]) -> None:
    facts = list(shapes.facts(value))
    sections = list(shapes.sections(value))
    if facts:
        table = table_of(header=False)
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for name, fact in facts:
            table.add_row(name, shapes.cell(fact))
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
    elif shapes.is_texts(value):
        _texts(console, value)
    elif (cells := shapes.grid(value)) is not None:
        _grid(console, name, cells)
    elif shapes.is_table(value):
        _rows(console, name, value)
    elif isinstance(value, list) and value:
        for number, item in enumerate(value, start=1):
            _item(console, name, number, item)
    elif isinstance(value, dict):
        _rule(console, name)
        _object(console, value)
    else:
        console.print(shapes.cell(value))


def _item(console: Console, name: str, number: int, item: Any) -> None:
    """One of several things that are too deep for a table."""
    if not isinstance(item, dict):
        _section(console, f"{name} {number}", item)
        return
    text = item.get("text")
    about = {key: value for key, value in item.items() if key != "text" and shapes.is_scalar(value)}
    _rule(console, f"{name} {number}" + "".join(f" · {fact}" for fact in _remarks(about)))
    if isinstance(text, str):
        write(text)
    rest = {
        key: value for key, value in item.items() if key not in about and not (key == "text" and isinstance(text, str))
    }
    if rest:
        _object(console, rest)


def _texts(console: Console, items: list[dict[str, Any]]) -> None:
    """Texts one after the other, each under a rule that says which it is."""
    for number, item in enumerate(items, start=1):
        about = _remarks({key: value for key, value in item.items() if key != "text"})
        _rule(console, " · ".join(about) or f"text {number}")
        write(item["text"].rstrip("\n") + "\n")


def _remarks(about: dict[str, Any]) -> list[str]:
    """What is true or has a value: "page 3", "ocr"."""
    return [
        key if value is True else f"{key} {shapes.cell(value)}"
        for key, value in about.items()
        if value is not False and value not in (None, "") and _UNREMARKABLE.get(key) != value
    ]


def _rows(console: Console, name: str, rows: list[dict[str, Any]]) -> None:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    console.print(name, style="bold cyan")
    table = table_of()
    for column in columns:
        numbers = all(shapes.is_number(row.get(column)) for row in rows)
        table.add_column(column, justify="right" if numbers else "left", overflow="fold")
    outline = next((key for key in columns if isinstance(rows[0].get(key), str)), None)
    for row in rows:
        cells = {key: shapes.cell(row.get(key)) for key in columns}
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
        table.add_row(*(shapes.cell(value) for value in row))
    console.print(table)


def _rule(console: Console, title: str) -> None:
    dash = "─" if (console.encoding or "").startswith("utf") else "-"
    line = Text(f"{dash * 2} {title} ", style="bold cyan", no_wrap=True)
    line.append(dash * (min(console.width, _RULE_WIDTH) - line.cell_len))
    console.print(line, overflow="ellipsis")


def _failures(failures: Any) -> None:
    """Says what the result lacks. On standard error, so that it is seen when the result goes to a file."""
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
