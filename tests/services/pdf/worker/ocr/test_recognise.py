import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from services.base.errors import Code, PapermeshError
from services.pdf.worker.ocr import tesseract
from services.pdf.worker.ocr.numeric import Grey, np
from services.pdf.worker.ocr.picture import Picture
from services.pdf.worker.ocr.recognise import recognise
from tests.conftest import ROOT
from tests.services.pdf.printed import DPI, ENGLISH, KOREAN, file, page
from tests.support.programs import needed

pytestmark = pytest.mark.usefixtures("program")

BOTH = ("kor", "eng")


@pytest.fixture(scope="module")
def program() -> Path:
    """Tesseract with its data."""
    return needed("tesseract", "tesseract-ocr-kor")


def read(pixels: Grey, languages: Sequence[str] = BOTH) -> dict[str, Any]:
    return recognise(file(pixels), DPI, languages, "")


@cache
def clean() -> dict[str, Any]:
    """What is read on the Korean page, by which others are judged."""
    return read(page(KOREAN))


def texts(result: dict[str, Any]) -> list[str]:
    return [" ".join(word["text"] for word in line["words"]) for line in result["lines"]]


def words(result: dict[str, Any]) -> list[dict[str, Any]]:
    return [word for line in result["lines"] for word in line["words"]]


def test_korean_is_read_in_words_that_blanks_set_apart() -> None:
    result = clean()
    assert texts(result) == list(KOREAN)
    assert {name: result[name] for name in ("version", "dpi", "languages")} == {
        "version": 1,
        "dpi": DPI,
        "languages": ["kor", "eng"],
    }


def test_english_is_read_as_it_stands() -> None:
    assert texts(read(page(ENGLISH))) == list(ENGLISH)
    assert texts(read(page(ENGLISH), ["eng"])) == list(ENGLISH)


def test_numbers_in_rings_and_hangul_that_follows_latin_letters_are_read() -> None:
    lines = [f"{mark} {line}" for mark, line in zip("①②③", KOREAN, strict=False)]
    lines += ["회사는 Linux를 직접 설치한다", *KOREAN[3:]]
    assert texts(read(page(lines))) == lines


def test_a_ring_is_one_word_with_what_follows_it_without_a_blank() -> None:
    lines = [f"{mark}{line}" for mark, line in zip("①②③", KOREAN, strict=False)]
    assert texts(read(page(lines))) == lines


def test_a_page_askew_with_grain_is_read_as_a_clean_one() -> None:
    pixels = Picture(page(KOREAN)).rotated(2).pixels
    noisy = pixels * 0.9 + 12 + np.random.default_rng(1).normal(0, 14, pixels.shape)
    assert texts(read(np.clip(noisy, 0, 255).astype(np.uint8))) == list(KOREAN)


@pytest.mark.parametrize("quarters", [1, *(pytest.param(each, marks=pytest.mark.long) for each in (2, 3))])
def test_a_turned_page_is_read_and_its_boxes_are_where_its_words_were_given(quarters: int) -> None:
    upright = Picture(page(KOREAN))
    turned = upright.turned(quarters)
    result = recognise(turned.as_pgm(), DPI, BOTH, "")
    assert texts(result) == list(KOREAN)
    for word, known in zip(words(result), words(clean()), strict=True):
        box = turned.given_box((word["x0"], word["y0"], word["x1"], word["y1"]))
        assert box == pytest.approx((known["x0"], known["y0"], known["x1"], known["y1"]), abs=6)


@pytest.mark.long
def test_columns_are_read_one_after_the_other() -> None:
    left = [line[:18] for line in KOREAN] * 3
    right = [line[-16:].strip() for line in KOREAN] * 3
    found = texts(read(page(left, right, size=9)))
    assert found.index(right[0]) >= len(left) - 1


def test_words_have_boxes_on_their_ink_and_confidence() -> None:
    pixels, result = page(KOREAN), clean()
    for word in words(result):
        assert 0.5 < word["confidence"] <= 1
        assert (pixels[word["y0"] : word["y1"], word["x0"] : word["x1"]] < 128).any()
    tops = [line["words"][0]["y0"] for line in result["lines"]]
    assert tops == sorted(tops)


@pytest.mark.parametrize("grey", [0, 200, 255])
def test_one_tone_has_no_lines_and_starts_nothing(grey: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tesseract, "PROGRAM", "/nowhere/tesseract")
    assert read(np.full((3000, 2000), grey, np.uint8))["lines"] == []
    assert read(np.full((1, 1), grey, np.uint8))["lines"] == []


def test_noise_has_no_lines_and_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tesseract, "PROGRAM", "/nowhere/tesseract")
    assert read(np.random.default_rng(1).integers(0, 256, (1200, 900), np.uint8))["lines"] == []


def test_a_language_without_data_is_named() -> None:
    with pytest.raises(PapermeshError) as refused:
        read(page(ENGLISH), ["eng", "tlh"])
    assert refused.value.code is Code.BAD_ARG
    assert "tlh" in refused.value.violations[0].description


def test_after_the_first_page_nothing_is_imported_and_there_is_one_thread() -> None:
    script = f"""
import os, sys
os.environ.clear()
from services.pdf.worker.ocr.recognise import recognise
picture = sys.stdin.buffer.read()
recognise(picture, {DPI}, {BOTH}, "")
known = set(sys.modules)
recognise(picture, {DPI}, {BOTH}, "")
print(set(sys.modules) - known, len(os.listdir("/proc/self/task")))
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, input=file(page(KOREAN[:3])), capture_output=True, cwd=ROOT, check=True, timeout=200)
    assert done.stdout == b"set() 1\n"
