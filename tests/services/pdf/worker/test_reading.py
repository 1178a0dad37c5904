from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from services.pdf.worker import reading
from services.pdf.worker.documents import Document, attempt
from services.pdf.worker.look import Look
from services.pdf.worker.mupdf import pymupdf
from services.pdf.worker.reading import read_page_words
from services.pdf.worker.signs import has_sign
from services.pdf.worker.strings import fit
from services.pdf.worker.words import Reading, Word, from_bytes, to_bytes
from tests.services.pdf.support import open_path
from tests.services.pdf.viewing import read_text

Pdf = Callable[..., Path]
CASES = sorted((Path(__file__).parent.parent / "cases").glob("*.pdf"))


def words_of(found: Reading) -> list[Word]:
    return [word for line in found.lines for word in found.words(line)]


def drawn(path: Path, draw: Callable[[Any], object], **page: float) -> Document:
    with pymupdf.open() as document:
        draw(document.new_page(**page))
        document.save(path)
    return open_path(path)


def readable(path: Path) -> Iterator[tuple[Document, int]]:
    try:
        document = open_path(path)
    except Exception:  # noqa: BLE001  # files that nobody can open are other tests'
        return
    yield from ((document, page) for page in range(1, min(document.page_count, 12) + 1))


def says_what_text_says(document: Document, page: int) -> None:
    look = attempt(Look, document, page, otherwise=None)
    if look is not None:
        found = read_page_words(document, page)
        assert from_bytes(to_bytes(found)) == found
        if not (look.is_twice or look.fonts.unmapped or look.findings.hidden or has_sign(look.text)):
            assert found.text == fit(look.text), "what MuPDF prints"


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_case_says_what_its_text_says(path: Path) -> None:
    for document, page in readable(path):
        says_what_text_says(document, page)


@pytest.mark.parametrize("folder", ["text", "mixed", "hostile"])
def test_a_document_says_what_its_text_says(corpus: Path, folder: str) -> None:
    for path in sorted((corpus / folder).glob("*.pdf")):
        for document, page in readable(path):
            says_what_text_says(document, page)


@pytest.mark.parametrize("page", [14, 18, 40])
def test_letters_without_width_are_not_lost(corpus: Path, page: int) -> None:
    says_what_text_says(open_path(corpus / "text" / "geotopo.pdf"), page)


def test_words_have_places_sizes_fonts_and_looks(tmp_path: Path) -> None:
    def draw(page: Any) -> None:
        page.insert_text((72, 100), "Plain words", fontsize=10)
        page.insert_text((72, 120), "bold", fontname="hebo", fontsize=12, color=(1, 0, 0))
        page.insert_text((72, 140), "typed", fontname="cour", fontsize=8)

    found = read_page_words(drawn(tmp_path / "looks.pdf", draw), 1)
    assert (found.width, found.height, found.rotation) == (595, 842, 0)
    assert [word.text for word in words_of(found)] == ["Plain", "words", "bold", "typed"]
    plain, words, bold, typed = words_of(found)
    assert plain.box is not None
    assert words.box is not None
    assert plain.box[0] == pytest.approx(72, abs=0.01)
    assert plain.box[1] < 100 < plain.box[3]
    assert plain.box[2] < words.box[0]
    assert plain.style == words.style
    assert [word.style and (word.style.font, word.style.size, word.style.color) for word in (plain, bold, typed)] == [
        ("Helvetica", 10.0, 0),
        ("Helvetica-Bold", 12.0, 0xFF0000),
        ("Courier", 8.0, 0),
    ]
    assert [bool(word.style and word.style.flags & pymupdf.TEXT_FONT_BOLD) for word in (plain, bold)] == [False, True]
    assert typed.style is not None
    assert typed.style.flags & pymupdf.TEXT_FONT_MONOSPACED


def test_a_word_looks_like_its_first_letter(tmp_path: Path) -> None:
    def draw(page: Any) -> None:
        page.insert_htmlbox((72, 72, 500, 200), "one <b>bo</b>ld <i>slanted</i> l<b>ast</b>")

    found = read_page_words(drawn(tmp_path / "mixed.pdf", draw), 1)
    looks = {word.text: word.style.flags if word.style else 0 for word in words_of(found)}
    assert [bool(looks[word] & pymupdf.TEXT_FONT_BOLD) for word in ("one", "bold", "slanted", "last")] == [
        False,
        True,
        False,
        False,
    ]
    assert looks["slanted"] & pymupdf.TEXT_FONT_ITALIC


def test_words_of_hangul_that_positions_set_apart_have_their_own_places() -> None:
    path = next(path for path in CASES if path.name == "gap-two-runs.pdf")
    found = read_page_words(open_path(path), 1)
    line = next(line for line in found.lines if len(line.text.split()) > 1)
    boxes = [word.box for word in found.words(line) if word.box]
    assert len(boxes) == len(line.text.split())
    assert all(before[2] < after[0] for before, after in pairwise(boxes))


def test_words_made_of_letters_stand_where_mupdf_has_them(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = open_path(corpus / "mixed" / "normal_4pages.pdf")
    as_drawn = read_page_words(document, 1)
    monkeypatch.setattr(reading, "has_sign", lambda _: True)
    by_letters = read_page_words(document, 1)
    places = {(word.text, word.box, word.style) for word in words_of(as_drawn)}
    others = {(word.text, word.box, word.style) for word in words_of(by_letters)}
    assert len(places & others) > 0.95 * len(places)


def test_boxes_are_of_the_page_as_a_reader_sees_it(tmp_path: Path) -> None:
    def draw(page: Any) -> None:
        page.set_rotation(90)
        page.insert_text((500, 800), "corner")  # of the page before it is turned

    found = read_page_words(drawn(tmp_path / "turned.pdf", draw), 1)
    assert (found.width, found.height, found.rotation) == (842, 595, 90)
    (word,) = words_of(found)
    assert word.box is not None
    assert word.box[0] < 60
    assert word.box[3] > 500
    assert found.lines[0].direction == (0.0, 1.0)


def test_lines_at_an_angle_say_so(tmp_path: Path) -> None:
    def draw(page: Any) -> None:
        page.insert_text((300, 300), "slanting", morph=(pymupdf.Point(300, 300), pymupdf.Matrix(45)))

    found = read_page_words(drawn(tmp_path / "angle.pdf", draw), 1)
    across, down = found.lines[0].direction
    assert abs(across) == pytest.approx(0.7071, abs=1e-4)
    assert abs(down) == pytest.approx(0.7071, abs=1e-4)


def test_a_page_with_more_letters_than_memory_has_room_for_has_words_without_places(
    make_pdf: Pdf, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = open_path(make_pdf("Many words\non two lines"))
    monkeypatch.setattr(reading, "MOST_CHARACTERS", 10)
    found = read_page_words(document, 1)
    assert found.text == read_text(document, 1) == "Many words\non two lines\n"
    assert [word.box for word in words_of(found)] == [None] * 5
    assert from_bytes(to_bytes(found)) == found


def test_a_glyph_that_nothing_maps_is_doubt() -> None:
    path = next(path for path in CASES if path.name == "no-tounicode.pdf")
    assert min(word.confidence for word in words_of(read_page_words(open_path(path), 1))) < 1


def test_an_empty_page_has_no_lines(tmp_path: Path) -> None:
    found = read_page_words(drawn(tmp_path / "empty.pdf", lambda _: None), 1)
    assert found.lines == []
    assert found.text == ""
