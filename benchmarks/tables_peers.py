"""Other finders of tables: `python tables_peers.py NAME PDF…` prints what each file's tables are, and CPU seconds."""

import json
import sys
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any


def _pdfplumber(path: str) -> list[Any]:
    pdfplumber = import_module("pdfplumber")
    with pdfplumber.open(path) as document:
        return [table for page in document.pages for table in page.extract_tables()]


def _camelot(path: str) -> list[Any]:
    camelot = import_module("camelot")
    return [table.df.to_numpy().tolist() for table in camelot.read_pdf(path, pages="all", flavor="lattice")]


def _pymupdf(path: str) -> list[Any]:
    pymupdf = import_module("pymupdf")
    with pymupdf.open(path) as document:
        return [table.extract() for page in document for table in page.find_tables(use_layout=False).tables]


PEERS: dict[str, Callable[[str], list[Any]]] = {"pdfplumber": _pdfplumber, "camelot": _camelot, "pymupdf": _pymupdf}


def main() -> None:
    """Prints JSON: for each document `tables` and `seconds`, and null for one that fails."""
    warnings.simplefilter("ignore")
    find = PEERS[sys.argv[1]]
    found: list[Any] = []
    for path in sys.argv[2:]:
        begin = time.process_time()
        try:
            tables = find(path)
        except Exception as error:  # noqa: BLE001  # whatever a peer raises
            print(f"{sys.argv[1]} fails on {path}: {error}", file=sys.stderr)
            found.append(None)
            continue
        found.append({"tables": tables, "seconds": time.process_time() - begin})
    print(json.dumps(found))


if __name__ == "__main__":
    main()
