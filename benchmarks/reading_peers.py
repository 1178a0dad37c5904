"""Other readers of text: `python reading_peers.py NAME PDF…` prints what each file's text is, and CPU seconds."""

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module


def _pypdfium2(path: str) -> str:
    pdfium = import_module("pypdfium2")
    document = pdfium.PdfDocument(path)
    return "\n".join(page.get_textpage().get_text_bounded() for page in document)


def _pdftotext(path: str) -> str:
    command = ["pdftotext", path, "-"]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout  # noqa: S603  # documents of ours


def _pypdf(path: str) -> str:
    pypdf = import_module("pypdf")
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(path).pages)


def _pdfplumber(path: str) -> str:
    pdfplumber = import_module("pdfplumber")
    with pdfplumber.open(path) as document:
        return "\n".join(page.extract_text() for page in document.pages)


PEERS: dict[str, Callable[[str], str]] = {
    "pypdfium2": _pypdfium2,
    "pdftotext": _pdftotext,
    "pypdf": _pypdf,
    "pdfplumber": _pdfplumber,
}


def main() -> None:
    """Prints JSON: for each document `text` and `seconds`, and null for one that fails."""
    read = PEERS[sys.argv[1]]
    found: list[dict[str, object] | None] = []
    for path in sys.argv[2:]:
        begun = _seconds()
        try:
            text = read(path)
        except Exception as error:  # noqa: BLE001  # whatever a peer raises
            print(f"{sys.argv[1]} fails on {path}: {error}", file=sys.stderr)
            found.append(None)
            continue
        found.append({"text": text, "seconds": _seconds() - begun})
    print(json.dumps(found))


def _seconds() -> float:
    """CPU of this process and of those that it has run."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


if __name__ == "__main__":
    main()
