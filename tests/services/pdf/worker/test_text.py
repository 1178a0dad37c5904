from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from rapidfuzz.distance import Indel

from services.base.errors import Code, PapermeshError
from services.pdf.worker import read as reading
from services.pdf.worker.mupdf import pymupdf
from tests.services.pdf.support import open_path
from tests.services.pdf.viewing import read as wanted
from tests.services.pdf.viewing import text_of
from tests.services.pdf.worker.made_pages import KINDS, lines

Pdf = Callable[..., Path]


def read(path: Path, *ranges: tuple[int, int]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    found = text_of(open_path(path), ranges)
    return found["items"], found["failures"]


def test_lines_end_with_a_line_feed(make_pdf: Pdf) -> None:
    items, failures = read(make_pdf("First line.\nSecond line.", "Page two."))
    assert items == [
        {"page": 1, "text": "First line.\nSecond line.\n", "ocr": False, "confidence": 1.0, "ocr_reason": ""},
        {"page": 2, "text": "Page two.\n", "ocr": False, "confidence": 1.0, "ocr_reason": ""},
    ]
    assert failures == []


def test_only_the_chosen_pages_are_read(make_pdf: Pdf) -> None:
    items, _ = read(make_pdf(*"abcdefg"), (2, 3), (7, 7))
    assert [(item["page"], item["text"]) for item in items] == [(2, "b\n"), (3, "c\n"), (7, "g\n")]


def test_korean_is_read_as_it_is_written(make_pdf: Pdf) -> None:
    sentence = "제12조 ② 연차휴가는 20일로 하며, 미사용 휴가는 이월하지 아니한다."
    items, _ = read(make_pdf(sentence, font="korea"))
    assert items[0]["text"] == sentence + "\n"


def test_a_typeset_book_comes_out_close_to_its_source(corpus: Path) -> None:
    items, failures = read(corpus / "text" / "geotopo.pdf")
    found = " ".join("\n".join(item["text"] for item in items).split())
    truth = " ".join((corpus / "text" / "geotopo.txt").read_text("utf-8").split())
    assert Indel.normalized_similarity(found, truth) >= 0.975
    assert len(items) == 117
    assert failures == []


def test_ligatures_are_spelled_out(corpus: Path) -> None:
    items, _ = read(corpus / "text" / "geotopo.pdf")
    assert not set("ﬀﬁﬂﬃﬄ") & set("".join(item["text"] for item in items))


def test_what_is_filled_into_a_form_is_read(corpus: Path) -> None:
    items, _ = read(corpus / "mixed" / "libreoffice-form.pdf")
    assert "Alice" in items[0]["text"]


def test_a_picture_without_text_is_a_scan(corpus: Path) -> None:
    items, failures = read(corpus / "scan" / "cardinal.pdf")
    assert items == []
    assert [(failure["page"], failure["reason"]) for failure in failures] == [(page, "SCAN") for page in range(1, 5)]


def test_an_empty_page_and_one_with_a_small_logo_are_no_scans(tmp_path: Path) -> None:
    path = tmp_path / "logo.pdf"
    logo = pymupdf.Pixmap(pymupdf.csRGB, (0, 0, 20, 20), 0)
    with pymupdf.open() as document:
        document.new_page()
        document.new_page().insert_image((0, 0, 60, 60), pixmap=logo)
        document.save(path)
    items, failures = read(path)
    assert [item["text"].strip() for item in items] == ["", ""]
    assert failures == []


def test_a_page_that_cannot_be_parsed_is_named_and_the_others_are_read(write_objects: Pdf) -> None:
    path = write_objects(
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]>>",
        "<</Type/Pages/Parent 2 0 R/Kids[4 0 R]/Count 1>>",
    )
    items, failures = read(path)
    assert [item["page"] for item in items] == [1]
    assert [(failure["page"], failure["reason"]) for failure in failures] == [(2, "BROKEN")]


def test_a_page_with_too_much_text_is_named(make_pdf: Pdf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_PAGE_CHARACTERS", 10)
    items, failures = read(make_pdf("Short.", "Longer than it may be."))
    assert [item["page"] for item in items] == [1]
    assert [(failure["page"], failure["reason"]) for failure in failures] == [(2, "TOO_LARGE")]


def test_a_page_that_is_not_there_is_a_bad_argument(make_pdf: Pdf) -> None:
    for last in (3, 9_999_999):
        with pytest.raises(PapermeshError, match="has 2 pages") as error:
            read(make_pdf("a", "b"), (1, last))
        assert error.value.code is Code.BAD_ARG
        assert error.value.violations[0].field == "pages"


def test_too_many_pages_are_too_large_and_the_way_out_is_named(make_pdf: Pdf) -> None:
    with pytest.raises(PapermeshError, match="fewer pages") as error:
        wanted(open_path(make_pdf(*["x"] * 5)), most=4)
    assert error.value.code is Code.TOO_LARGE
    assert error.value.details["limit_pages"] == "4"


class TestRecognition:
    """Words as an OCR worker gives them, on the pages of `made_pages`."""

    RECOGNISED: ClassVar = {
        "version": 1, "dpi": 72, "width": 595, "height": 842, "languages": ["eng"],
        "lines": [
            {"words": [{"text": "Annual", "x0": 72, "y0": 400, "x1": 120, "y1": 410, "confidence": 0.9},
                       {"text": "leave", "x0": 125, "y0": 400, "x1": 160, "y1": 410, "confidence": 0.8}]},
        ],
    }  # fmt: skip

    @pytest.fixture
    def read_made(self, tmp_path: Path) -> Callable[..., dict[str, Any]]:
        def run(kind: str, *, seed: int = 0, **arguments: Any) -> dict[str, Any]:
            path = tmp_path / "made.pdf"
            with pymupdf.open() as document:
                KINDS[kind][0](document.new_page(), seed)
                document.save(path)
            return dict(text_of(open_path(path), **arguments))

        return run

    @pytest.mark.parametrize("kind", KINDS)
    def test_never_means_what_the_layer_has_or_a_failure(self, read_made: Callable[..., Any], kind: str) -> None:
        found = read_made(kind, ocr="never")
        assert found == read_made(kind)
        if KINDS[kind][1] == "no_text":
            assert found["failures"][0]["reason"] == "SCAN"
        else:
            assert not found["items"][0]["ocr"]

    def test_a_scan_has_what_was_recognised(self, read_made: Callable[..., Any]) -> None:
        assert read_made("scan", ocr="auto", recognised={1: self.RECOGNISED})["items"] == [
            {"page": 1, "text": "Annual leave\n", "ocr": True, "ocr_reason": "no_text", "confidence": 0.855}
        ]

    def test_a_half_scan_has_the_text_of_both_in_order(self, read_made: Callable[..., Any]) -> None:
        (item,) = read_made("half scan", ocr="auto", recognised={1: self.RECOGNISED})["items"]
        assert item["text"] == "".join(f"{line}\n" for line in [*lines(0, 3), "Annual leave"])
        assert (item["ocr"], item["ocr_reason"]) == (True, "picture")
        assert 0.98 < item["confidence"] < 1

    @pytest.mark.parametrize(("kind", "mode"), [("rotten text layer", "auto"), ("text", "force")])
    def test_letters_that_mean_nothing_or_are_read_again_are_left_out(
        self, read_made: Callable[..., Any], kind: str, mode: str
    ) -> None:
        (item,) = read_made(kind, ocr=mode, recognised={1: self.RECOGNISED})["items"]
        assert item["text"] == "Annual leave\n"

    @pytest.mark.parametrize("kind", KINDS)
    def test_what_nothing_could_be_recognised_on_keeps_its_layer(
        self, read_made: Callable[..., Any], kind: str
    ) -> None:
        nothing = {1: {**self.RECOGNISED, "lines": []}}
        (item,) = read_made(kind, ocr="force", recognised=nothing)["items"]
        (never,) = read_made(kind, ocr="never")["items"] or [{"text": "", "confidence": 1.0}]
        assert (item["ocr"], item["ocr_reason"]) == (False, "forced")
        assert (item["text"], item["confidence"]) == (never["text"], never["confidence"])

    def test_a_scan_that_nobody_could_read_says_so_by_its_confidence(self, read_made: Callable[..., Any]) -> None:
        noise = [{"words": [{"text": "ie=", "x0": 72, "y0": 400, "x1": 120, "y1": 410, "confidence": 0.3}]}]
        (item,) = read_made("scan", ocr="auto", recognised={1: {**self.RECOGNISED, "lines": noise}})["items"]
        assert (item["text"], item["ocr"], item["confidence"]) == ("", False, 0.3)

    def test_a_picture_that_could_not_be_read_is_a_scan_or_leaves_the_layer(
        self, read_made: Callable[..., Any]
    ) -> None:
        assert read_made("scan", ocr="auto", recognised={1: None})["failures"][0]["reason"] == "SCAN"
        assert read_made("half scan", ocr="auto", recognised={1: None}) == read_made("half scan")

    def test_a_page_that_needs_no_recognition_ignores_one(self, read_made: Callable[..., Any]) -> None:
        assert read_made("text", ocr="auto", recognised={1: self.RECOGNISED}) == read_made("text")
