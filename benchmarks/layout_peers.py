"""Other finders of blocks: `python layout_peers.py NAME PDF…` prints the blocks of each file, and CPU seconds."""

import json
import resource
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

_TYPES = {
    "section-header": "heading",
    "title": "heading",
    "list-item": "list",
    "page-header": "header",
    "page-footer": "footer",
    "picture": "image",
    "formula": "text",
    "paragraph": "text",
    "text block": "text",
    "list item": "list",
}
"""Their names for types; those that are missing are ours."""

_INNER = ("kids", "list items", "rows", "cells")
"""Where an element of opendataloader-pdf has others."""


def _pymupdf4llm(path: str) -> Iterator[tuple[str, str]]:
    document = json.loads(import_module("pymupdf4llm").to_json(path))
    for box in (box for page in document["pages"] for box in page["boxes"]):
        if table := box.get("table"):
            text = " ".join(cell or "" for row in table["extract"] for cell in row)
        else:
            lines = box.get("textlines") or ()
            text = " ".join("".join(span["text"] for span in line["spans"]) for line in lines)
        yield _TYPES.get(box["boxclass"], box["boxclass"]), text


def _opendataloader(path: str) -> Iterator[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        convert = import_module("opendataloader_pdf").convert
        convert(input_path=[path], output_dir=folder, format="json", quiet=True)
        document = json.loads(next(Path(folder).glob("*.json")).read_text("utf-8"))
    yield from _elements(document)


def _elements(element: dict[str, Any]) -> Iterator[tuple[str, str]]:
    kind = element.get("type", "")
    if element.get("content") or kind in {"table", "list item", "header", "footer"}:
        yield _TYPES.get(kind, kind), _text(element)
    else:
        for inner in _inner(element):
            yield from _elements(inner)


def _text(element: dict[str, Any]) -> str:
    return " ".join([element.get("content") or "", *map(_text, _inner(element))])


def _inner(element: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in _INNER:
        yield from element.get(name) or ()


PEERS: dict[str, Callable[[str], Iterator[tuple[str, str]]]] = {
    "pymupdf4llm": _pymupdf4llm,
    "opendataloader-pdf": _opendataloader,
}


def main() -> None:
    """Prints JSON: for each document `blocks` as types and texts, and `seconds`; null for one that fails."""
    find = PEERS[sys.argv[1]]
    found: list[Any] = []
    for path in sys.argv[2:]:
        begun = _seconds()
        try:
            blocks = list(find(path))
        except Exception as error:  # noqa: BLE001  # whatever a peer raises
            print(f"{sys.argv[1]} fails on {path}: {error}", file=sys.stderr)
            found.append(None)
            continue
        found.append({"blocks": blocks, "seconds": _seconds() - begun})
    print(json.dumps(found))


def _seconds() -> float:
    """CPU of this process and of those that it has run."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


if __name__ == "__main__":
    main()
