import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pdf.worker.listing import CutShortError, Listing
from services.pdf.worker.mupdf import mupdf
from services.pdf.worker.page_labels import read_page_labels, write_number
from tests.services.pdf.support import open_path

Write = Callable[..., Path]

ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100, "d": 500, "m": 1000}


def read(path: Path) -> list[dict[str, Any]]:
    document = open_path(path)
    labels = Listing(time.process_time() + 60)
    read_page_labels(document, mupdf.pdf_dict_gets(mupdf.pdf_trailer(document.pdf), "Root"), labels)
    return labels.entries


def labelled(write_objects: Write, tree: str, *more: str, pages: int = 10) -> Path:
    page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]>>"
    kids = " ".join(f"{number} 0 R" for number in range(10, 10 + pages))
    return write_objects(
        f"<</Type/Catalog/Pages 2 0 R/PageLabels {tree}>>",
        f"<</Type/Pages/Kids[{kids}]/Count {pages}>>",
        *[*more, *["null"] * 7][:7],
        *[page] * pages,
    )


def brief(path: Path) -> list[tuple[int, int, str, str]]:
    return [(run["first_page"], run["last_page"], run["first_label"], run["last_label"]) for run in read(path)]


def test_a_document_without_labels_has_none(write_objects: Write) -> None:
    assert read(labelled(write_objects, "null")) == []


def test_front_matter_counts_by_itself(write_objects: Write) -> None:
    path = labelled(write_objects, "<</Nums[0<</S/r>> 4<</S/D>> 8<</S/A/P(Annex )/St 3>>]>>")
    assert brief(path) == [(1, 4, "i", "iv"), (5, 8, "1", "4"), (9, 10, "Annex C", "Annex D")]
    assert read(path)[2] == {
        "first_page": 9,
        "last_page": 10,
        "first_label": "Annex C",
        "last_label": "Annex D",
        "prefix": "Annex ",
        "style": "A",
        "start": 3,
    }


def test_prefixes_are_text_strings_and_may_stand_alone(write_objects: Write) -> None:
    path = labelled(write_objects, f"<</Nums[0<</P<{'표지'.encode('utf-16').hex()}>>> 1<</S/D>>]>>")
    assert brief(path) == [(1, 1, "표지", "표지"), (2, 10, "1", "9")]


def test_pages_before_the_first_run_have_no_label(write_objects: Write) -> None:
    assert brief(labelled(write_objects, "<</Nums[6<</S/D>>]>>")) == [(7, 10, "1", "4")]


def test_runs_that_only_go_on_are_one(write_objects: Write) -> None:
    each_page = " ".join(f"{index}<</S/D/St {index + 1}>>" for index in range(10))
    assert brief(labelled(write_objects, f"<</Nums[{each_page}]>>")) == [(1, 10, "1", "10")]


def test_the_tree_may_have_branches_and_any_order(write_objects: Write) -> None:
    path = labelled(
        write_objects,
        "<</Kids[4 0 R 3 0 R 4 0 R 5 0 R]>>",
        "<</Nums[0<</S/r>>]>>",
        "<</Nums[5<</S/D>> 2<</S/a>> 99<</S/D>> -1<</S/D>> (x)<</S/D>> 7 null 8 12]>>",
        "<</Kids[5 0 R 3 0 R]>>",
    )
    assert brief(path) == [(1, 2, "i", "ii"), (3, 5, "a", "c"), (6, 10, "1", "5")]


@pytest.mark.parametrize(
    "tree", ["7", "[0 0]", "<</Nums 3>>", "<</Nums[0]>>", "<</Nums[0 0]>>", "<</Kids[2 0 R 1 0 R]>>"]
)
def test_what_is_no_tree_of_labels_gives_none(write_objects: Write, tree: str) -> None:
    assert read(labelled(write_objects, tree)) == []


def test_a_tree_of_any_size_is_read_to_a_limit(write_objects: Write) -> None:
    with pytest.raises(CutShortError):
        read(labelled(write_objects, f"<</Nums[{'0<</S/D>>' * 20_001}]>>"))


def test_a_number_too_large_for_its_style_has_digits(write_objects: Write) -> None:
    assert brief(labelled(write_objects, "<</Nums[0<</S/R/St 4999>> 5<</S/a/St 2147483647>>]>>")) == [
        (1, 5, "MMMMCMXCIX", "5003"),
        (6, 10, "2147483647", "2147483651"),
    ]


@given(st.integers(1, 4999))
def test_a_roman_number_has_its_value(number: int) -> None:
    text = write_number(number, "i")
    values = [ROMAN[letter] for letter in text]
    value = sum(-one if one < following else one for one, following in zip(values, [*values[1:], 0], strict=True))
    assert value == number
    assert re.fullmatch("m{0,4}(cm|cd|d?c{0,3})(xc|xl|l?x{0,3})(ix|iv|v?i{0,3})", text)
    assert write_number(number, "I") == text.upper()


@given(st.integers(1, 520))
def test_letters_are_repeated_when_the_alphabet_is_through(number: int) -> None:
    text = write_number(number, "a")
    assert len(set(text)) == 1
    assert (len(text) - 1) * 26 + ord(text[0]) - ord("a") + 1 == number
    assert write_number(number, "A") == text.upper()


@given(st.integers(1, 2**31), st.sampled_from(["1", "i", "I", "a", "A", ""]))
def test_no_label_is_long(number: int, style: str) -> None:
    assert len(write_number(number, style)) <= 20
    assert bool(write_number(number, style)) == bool(style)
