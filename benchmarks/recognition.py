"""How right the text of pictures is, and what it costs: `make bench-ocr`; `python -m benchmarks.recognition --help`.

Pages are made anew from a seed (`made_pages.py`) and read by the recipe. Beside it one bare run of Tesseract reads each
page in this same run, so that a busy minute falls on both: the ratio of their CPU is what counts.
"""

import argparse
import resource
import sys
import time
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import mean, median
from typing import Any

from rapidfuzz.distance import Levenshtein

from benchmarks.made_pages import Made, make, missing
from benchmarks.options import ROOT, SHARED
from benchmarks.tables import table
from services.pdf.worker.mupdf import pymupdf
from services.pdf.worker.ocr import tesseract
from services.pdf.worker.ocr.ink import on_paper
from services.pdf.worker.ocr.noise import without_noise
from services.pdf.worker.ocr.numeric import Grey, np
from services.pdf.worker.ocr.orientation import right_way_up
from services.pdf.worker.ocr.picture import Picture
from services.pdf.worker.ocr.recognise import recognise
from services.pdf.worker.ocr.trained_data import models_for
from services.pdf.worker.ocr.words import Line, lines_of

_LANGUAGES = ("kor", "eng")
_CONFIDENT = 0.9
_KOREAN_FONTS = ("myeongjo", "gothic", "noto")
_ENGLISH_FONTS = ("serif", "noto")
_SCAN_DPI = 300
_PATIENCE = 600.0
"""Seconds for a page: a busy machine is no error here."""

_BETTER = ROOT / "var" / "ocr_data"


@dataclass(frozen=True, slots=True)
class _Class:
    """Pages of one kind."""

    layout: str
    language: str
    fonts: tuple[str, ...]
    dpis: tuple[int, ...]
    damaged: bool = False
    bar: tuple[float, float] = (1.0, 1.0)
    """The character and the word error that it should keep to."""

    def page(self, index: int, seed: int) -> tuple[Made, int]:
        """The page of this number, and its dpi."""
        font, dpi = self.fonts[index % len(self.fonts)], self.dpis[index % len(self.dpis)]
        return make(self.layout, self.language, font, dpi=dpi, seed=seed + 37 * index, damaged=self.damaged), dpi


_SERIF, _MYEONGJO = ("serif",), ("myeongjo",)
CLASSES = {
    "Korean": _Class("pure", "ko", _KOREAN_FONTS, (200,), bar=(0.010, 0.03)),
    "Korean, damaged": _Class("pure", "ko", _KOREAN_FONTS, (200, 300), damaged=True, bar=(0.015, 0.03)),
    "Korean, damaged, 150 dpi": _Class("pure", "ko", _KOREAN_FONTS, (150,), damaged=True, bar=(0.02, 1)),
    "Korean with Latin terms": _Class("plain", "ko", _KOREAN_FONTS, (200, 300), bar=(0.07, 0.10)),
    "Korean with Latin terms, damaged": _Class(
        "plain", "ko", _KOREAN_FONTS, (200, 300), damaged=True, bar=(0.10, 0.13)
    ),
    "policy": _Class("policy", "ko", _MYEONGJO, (200, 300), bar=(0.06, 0.11)),
    "policy, damaged": _Class("policy", "ko", _MYEONGJO, (200, 300), damaged=True),
    "both by paragraphs": _Class("mixed", "ko", _MYEONGJO, (200, 300), bar=(0.03, 0.05)),
    "both by paragraphs, damaged": _Class("mixed", "ko", _MYEONGJO, (200, 300), damaged=True, bar=(0.04, 0.07)),
    "two columns, Korean": _Class("two", "ko", _MYEONGJO, (200, 300), bar=(0.085, 1)),
    "two columns, English": _Class("two", "en", _SERIF, (200, 300), bar=(0.005, 1)),
    "ruled table": _Class("table", "ko", _MYEONGJO, (200, 300), bar=(0.09, 1)),
    "7 pt, 300 dpi": _Class("small", "ko", _MYEONGJO, (300,), bar=(0.07, 1)),
    "7 pt, 200 dpi": _Class("small", "ko", _MYEONGJO, (200,), bar=(0.10, 1)),
    "English": _Class("plain", "en", _ENGLISH_FONTS, (150, 200, 300), bar=(0.002, 1)),
    "English, damaged": _Class("plain", "en", _ENGLISH_FONTS, (150, 200, 300), damaged=True, bar=(0.005, 1)),
}


@dataclass(slots=True)
class _Figures:
    """What the readings of one class came to."""

    characters: list[float] = field(default_factory=list)
    words: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    sure: int = 0
    sure_and_right: int = 0

    def row(self, name: str, bar: tuple[float, float]) -> list[str]:
        right = f"{self.sure_and_right / self.sure:.4f}" if self.sure else ""
        ratio = f"{median(self.ratios):.2f}" if self.ratios else ""
        limits = " / ".join("" if limit == 1 else f"{limit:g}" for limit in bar)
        return [name, f"{mean(self.characters):.4f}", f"{mean(self.words):.3f}", limits, right, ratio]


def main() -> int:
    """Measures, prints tables and returns the exit status: 0, or 2 when something that it needs is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recognition", description=__doc__)
    parser.add_argument(
        "--seed", type=int, default=int(time.time()) % 100_000, help="of the pages; default: a fresh one"
    )
    parser.add_argument("--pages", type=int, default=5, help="of each class (default 5)")
    parser.add_argument("--first", type=int, default=0, help="number of the first, by which fonts and dpi go in turn")
    parser.add_argument("--only", default="", help="classes whose names have this in them")
    own = str(_BETTER) if _BETTER.is_dir() else ""
    parser.add_argument(
        "--data", default=own, help="folder of trained data (default: var/ocr_data, or Tesseract's own)"
    )
    parser.add_argument("--no-bare", action="store_true", help="leave the bare run out, and so the ratio of CPU")
    parser.add_argument("--turned", type=int, default=40, help="pages to turn by quarters, 0 for none (default 40)")
    chosen = parser.parse_args()
    if lacking := missing():
        print(lacking, file=sys.stderr)
        return 2
    print(f"seed {chosen.seed}, {chosen.pages} pages a class, data: {models_for(_LANGUAGES, chosen.data).folder}\n")
    rows, every = [], _Figures()
    for name, kind in CLASSES.items():
        if chosen.only in name:
            figures = _Figures()
            for index in range(chosen.first, chosen.first + chosen.pages):
                made, dpi = kind.page(index, chosen.seed)
                _add((figures, every), made, dpi, chosen)
            rows.append(figures.row(name, kind.bar))
            print(rows[-1], file=sys.stderr)
    scan = SHARED / "corpus" / "scan" / "linn.pdf"
    if chosen.only in scan.name:
        rows.append(_scan(scan, chosen).row(scan.name, (0.011, 1)))
    if every.characters:
        rows.append(every.row("all", (1.0, 1.0)))
    print(table(["page", "characters", "words", "bars", "right at ≥ .9", "CPU ratio"], rows))
    if chosen.turned:
        print(f"\nright way up: {_right_way_up(chosen)} of {chosen.turned}")
    return 0


def _scan(path: Path, chosen: argparse.Namespace) -> _Figures:
    figures, found = _Figures(), []
    with pymupdf.open(path) as document:
        for page in document:
            pixels = page.get_pixmap(dpi=_SCAN_DPI, colorspace=pymupdf.csGRAY)
            grey = np.frombuffer(pixels.samples, np.uint8).reshape(pixels.height, pixels.width)
            found.append(_text(recognise(Picture(grey).as_pgm(), _SCAN_DPI, _LANGUAGES, chosen.data, _PATIENCE)))
    truth = path.with_suffix(".txt").read_text()
    figures.characters.append(_character_error(truth, "\n".join(found)))
    figures.words.append(_word_error(truth, "\n".join(found)))
    return figures


def _add(figures: Sequence[_Figures], made: Made, dpi: int, chosen: argparse.Namespace) -> None:
    picture, truth = Picture(np.asarray(made.picture)).as_pgm(), made.truth
    spent, result = _timed(lambda: recognise(picture, dpi, _LANGUAGES, chosen.data, _PATIENCE))
    sure, right = _sure_and_right(result, truth)
    for one in figures:
        one.characters.append(_character_error(truth, _text(result)))
        one.words.append(_word_error(truth, _text(result)))
        one.sure += sure
        one.sure_and_right += right
    if not chosen.no_bare:
        bare, _ = _timed(lambda: _bare(picture, dpi))
        for one in figures:
            one.ratios.append(spent / bare)


def _bare(picture: bytes, dpi: int) -> str:
    """One run over the page as it is, with the data that Tesseract comes with."""
    folder = models_for(_LANGUAGES, "").folder
    ends = time.monotonic() + _PATIENCE
    return tesseract.run(picture, _LANGUAGES, folder, dpi=dpi, segmentation=tesseract.AUTOMATIC, ends=ends)


def _right_way_up(chosen: argparse.Namespace) -> int:
    """Of pages turned by 0, 90, 180 and 270 degrees, how many are turned back."""
    right = 0
    kinds = list(CLASSES.values())
    for index in range(chosen.turned):
        made, dpi = kinds[index % len(kinds)].page(index, chosen.seed + 1)
        turned = Picture(Picture(np.asarray(made.picture)).turned(index % 4).pixels)
        paper = on_paper(without_noise(turned.pixels))
        if paper is not None and (laid := right_way_up(Picture(paper), dpi, partial(_glance, dpi, chosen.data))):
            wanted, found = turned.turned(-index % 4).origin, laid.page.origin
            right += sum(wanted[at] * found[at] for at in (0, 1, 3, 4)) > 1.9  # noqa: PLR2004  # 2 but for the skew
    return right


def _glance(dpi: int, data: str, sample: Grey) -> list[Line]:
    models, ends = models_for(_LANGUAGES, data), time.monotonic() + _PATIENCE
    picture = Picture(sample).as_pgm()
    return lines_of(
        tesseract.run(picture, models.glance, models.folder, dpi=dpi, segmentation=tesseract.ONE_BLOCK, ends=ends)
    )


def _timed(read: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of this process and its children, and the result."""
    began = _cpu()
    result = read()
    return _cpu() - began, result


def _cpu() -> float:
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def _text(result: dict[str, Any]) -> str:
    return "\n".join(" ".join(word["text"] for word in line["words"]) for line in result["lines"])


def _squeezed(text: str) -> str:
    return "".join(unicodedata.normalize("NFC", text).split())


def _character_error(truth: str, found: str) -> float:
    """Edits of characters without blanks, of the characters of the truth."""
    right = _squeezed(truth)
    return Levenshtein.distance(right, _squeezed(found)) / len(right)


def _word_error(truth: str, found: str) -> float:
    right = truth.split()
    return Levenshtein.distance(right, found.split()) / len(right)


def _sure_and_right(result: dict[str, Any], truth: str) -> tuple[int, int]:
    """How many characters stand in words of confidence .9 and more, and how many of these are right."""
    words: Sequence[dict[str, Any]] = [word for line in result["lines"] for word in line["words"]]
    sure = [word["confidence"] >= _CONFIDENT for word in words for _ in _squeezed(word["text"])]
    found = "".join(_squeezed(word["text"]) for word in words)
    right = [False] * len(found)
    for edit in Levenshtein.opcodes(_squeezed(truth), found):
        if edit.tag == "equal":
            right[edit.dest_start : edit.dest_end] = [True] * (edit.dest_end - edit.dest_start)
    both = zip(sure, right, strict=True)
    return sum(sure), sum(is_sure and is_right for is_sure, is_right in both)


if __name__ == "__main__":
    sys.exit(main())
