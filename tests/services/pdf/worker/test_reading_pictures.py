"""From a made page through its picture and Tesseract to its text, by the way of the service but without it."""

import csv
import io
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from services.pdf.worker import pictures
from services.pdf.worker.mupdf import pymupdf
from tests.services.pdf.support import open_path
from tests.services.pdf.viewing import read, text_of
from tests.services.pdf.worker.made_pages import KINDS, lines

TESSERACT = shutil.which("tesseract")
pytestmark = pytest.mark.skipif(TESSERACT is None, reason="Tesseract is not installed")

STAMP = "Received 2025-08-01, page 7"
EXPECTED = {
    "scan": lines(0),
    "stamped scan": [STAMP, *lines(0)],
    "half scan": [*lines(0, 3), *lines(2, 30)],
    "rotten text layer": lines(0),
    "font without mapping": lines(0),
    "vector outlines": lines(0, 6),
    "picture of a landscape": lines(0, 10),
}


def recognise(picture: bytes, dpi: int) -> dict[str, Any]:
    """What plain Tesseract reads, as an OCR worker gives it."""
    command = [str(TESSERACT), "-", "-", "--dpi", str(dpi), "-l", "eng", "-c", "tessedit_create_tsv=1"]
    environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}
    found = subprocess.run(command, input=picture, capture_output=True, check=True, env=environment).stdout.decode()
    read: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in csv.DictReader(io.StringIO(found), delimiter="\t", quoting=csv.QUOTE_NONE):
        if row["level"] == "5":
            x, y, width, height = (int(row[name]) for name in ("left", "top", "width", "height"))
            word = {"text": row["text"], "x0": x, "y0": y, "x1": x + width, "y1": y + height}
            line = (row["block_num"], row["par_num"], row["line_num"])
            read.setdefault(line, []).append({**word, "confidence": float(row["conf"]) / 100})
    return {"version": 1, "dpi": dpi, "languages": ["eng"], "lines": [{"words": words} for words in read.values()]}


@pytest.mark.parametrize("kind", EXPECTED)
def test_each_line_that_a_page_shows_comes_once_and_in_order(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "page.pdf"
    with pymupdf.open() as document:
        KINDS[kind][0](document.new_page(), 0)
        document.save(path)
    opened = open_path(path)
    (reason,), _ = read(opened, ocr="auto")
    header, picture = pictures.render(opened, {"page": 1, "reason": reason})
    (item,) = text_of(opened, ocr="auto", recognised={1: recognise(picture, header["dpi"])})["items"]
    assert item["text"].splitlines() == EXPECTED[kind]
    assert item["ocr"] == (kind != "picture of a landscape")
