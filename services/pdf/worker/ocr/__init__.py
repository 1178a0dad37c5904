"""Reads the text of a picture with Tesseract."""

import csv
import re
import subprocess
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

_HEADER = re.compile(rb"P5\s+(\d+)\s+(\d+)\s+255\s")


def recognise(picture: bytes, dpi: int, languages: Sequence[str], data: str, folder: str) -> dict[str, Any]:
    """The lines of a binary PGM of 8 bits, and their words with boxes in its pixels.

    `data` is Tesseract's data folder, or empty for its own; `folder` is one to write to. Raises ValueError if it is no
    such picture, and CalledProcessError if Tesseract fails.
    """
    header = _HEADER.match(picture)
    if header is None:
        raise ValueError("not a binary PGM of 8 bits")
    width, height = map(int, header.groups())
    source, result = Path(folder, "picture.pgm"), Path(folder, "words")
    source.write_bytes(picture)
    options = ["--psm", "3", "--dpi", str(dpi), "-l", "+".join(languages), "-c", "tessedit_create_tsv=1"]
    if data:
        options += ["--tessdata-dir", data]
    command = ["tesseract", str(source), str(result), *options]  # by its name, for the PATH is of its folder alone
    subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True)  # noqa: S603  # made above
    rows = csv.DictReader(
        result.with_suffix(".tsv").read_text("utf-8").splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE
    )
    words = [row for row in rows if row["level"] == "5" and row["text"].strip()]
    lines = groupby(words, lambda row: (row["block_num"], row["par_num"], row["line_num"]))
    return {
        "version": 1,
        "dpi": dpi,
        "width": width,
        "height": height,
        "languages": list(languages),
        "lines": [{"words": [_word(row) for row in line]} for _, line in lines],
    }


def _word(row: dict[str, str]) -> dict[str, Any]:
    left, top = int(row["left"]), int(row["top"])
    return {
        "text": row["text"],
        "x0": left,
        "y0": top,
        "x1": left + int(row["width"]),
        "y1": top + int(row["height"]),
        "confidence": round(float(row["conf"]) / 100, 3),
    }
