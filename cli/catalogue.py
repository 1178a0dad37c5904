"""The catalogue of actions, drawn for people: all of them in a table, or one with its arguments."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cli.arguments import is_document, is_documents
from cli.terminal import harmless_value, out, table_of

_SENTENCE = re.compile(r"(.*?[.!?])(?:\s|$)", re.DOTALL)
_MINUTE = 60


def show_all(actions: Sequence[Mapping[str, Any]]) -> None:
    """Prints a table of the actions."""
    table = table_of()
    table.add_column("action", style="bold", no_wrap=True)
    table.add_column("what it does", ratio=1)
    table.add_column("timeout", justify="right", no_wrap=True)
    table.add_column("cache", justify="right", no_wrap=True)
    table.add_column("rate", justify="right", no_wrap=True)
    for action in map(harmless_value, actions):
        what = _first_sentence(str(action["description"]))
        table.add_row(action["name"], what, _time(action["timeout_s"]), _cache(action), _rate(action))
    console = out()
    console.print(table)
    console.print("\npapermesh actions NAME shows the arguments of one.", style="dim")


def show_one(action: Mapping[str, Any]) -> None:
    """Prints what an action does, its limits, its arguments and how to call it."""
    console, action = out(), harmless_value(action)
    console.print(action["name"], style="bold")
    console.print(" ".join(str(action["description"]).split()))
    limits = [
        f"answers within {_time(action['timeout_s'])}",
        _rate(action) + f" a person, {action['rate']['burst']} at once",
    ]
    limits.append("never cached" if action["cache_ttl_s"] is None else f"cached for {_cache(action)}")
    limits += ["may be run as a job"] if action["job"] else []
    limits += [] if action["read_only"] else ["changes something"]
    console.print("; ".join(limits), style="dim")
    table = table_of()
    table.add_column("argument", style="bold", no_wrap=True)
    table.add_column("type")
    table.add_column("what it is", ratio=1)
    schema = action["args_schema"]
    for name, kind, text in _arguments(schema):
        table.add_row(name, kind, text)
    if table.row_count:
        console.print()
        console.print(table)
    console.print(f"\npapermesh invoke {action['name']}{_example(schema)}", style="dim")


def _arguments(schema: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str, str]]:
    required = schema.get("required", ())
    for name, part in schema.get("properties", {}).items():
        kind = _type(part) + (", required" if name in required else "")
        yield f"{above}{name}", kind, _described(part)
        if part.get("type") == "object" and not is_document(part):
            yield from _arguments(part, f"{above}{name}.")


def _type(schema: Mapping[str, Any]) -> str:
    if is_document(schema):
        return "document"
    if is_documents(schema):
        return "documents"
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"] if value != "")
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items') or {})}"
    return str(schema.get("type", "any"))


def _described(schema: Mapping[str, Any]) -> str:
    return " ".join(str(schema.get("description", "")).split()).removesuffix(" Required.")


def _example(schema: Mapping[str, Any]) -> str:
    """Its documents as files, and one word for every other argument that it requires."""
    words = []
    for name, part in schema.get("properties", {}).items():
        if is_document(part) or is_documents(part):
            words.append("FILE")
        elif name in schema.get("required", ()):
            inside = next(iter(part.get("required", ())), "") if part.get("type") == "object" else ""
            words.append(f"{name}.{inside}=…" if inside else f"{name}=…")
    return "".join(f" {word}" for word in words)


def _first_sentence(text: str) -> str:
    flat = " ".join(text.split())
    found = _SENTENCE.match(flat)
    return found[1] if found else flat


def _time(seconds: float) -> str:
    return f"{seconds / _MINUTE:g} min" if seconds >= _MINUTE and seconds % _MINUTE == 0 else f"{seconds:g} s"


def _cache(action: Mapping[str, Any]) -> str:
    return "-" if action["cache_ttl_s"] is None else _time(action["cache_ttl_s"])


def _rate(action: Mapping[str, Any]) -> str:
    return f"{action['rate']['requests_per_minute']}/min"
