"""Makes the PDFs of this folder from texts/: `.venv/bin/python samples/library/make.py`. The same bytes each time.

A text has a title and a line about it. Then each line is a part ("= "), an article ("# "), a paragraph, the caption of
a table ("@ ") or a row of it ("| "). Articles are numbered through, in Korean as 제1조; the paragraphs of an article
that has several are numbered ①, ② or (1), (2).
"""

import html
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pymupdf

FOLDER = Path(__file__).parent
NAMES = sorted(path.stem for path in (FOLDER / "texts").glob("*.txt"))
"""Of the documents: what it is about, and its language, "leave.ko"."""

SCANNED = ("leave", "supply", "travel", "tables", "paper")
"""What there is a scan of too, in both languages."""

_TWO_COLUMNS = {"paper"}
_WIDTH, _HEIGHT, _MARGIN, _GAP = 595, 842, 68, 22
_WRITTEN = "D:20250901090000+09'00'"
_DPI = 150
_CSS = """
* { font-family: sans-serif; font-size: 10pt; line-height: 1.5; }
h1 { font-size: 18pt; margin-bottom: 2pt; }
h2 { font-size: 13pt; margin-top: 12pt; margin-bottom: 3pt; }
h3 { font-size: 10.5pt; margin-top: 8pt; margin-bottom: 1pt; }
p { margin-top: 2pt; margin-bottom: 2pt; }
.about { font-size: 9pt; color: #555555; }
"""
_ROW, _SIZE = 20.0, 9.0
"""Points: the height of a table's row, and of its letters."""


class _Table(NamedTuple):
    caption: str
    rows: list[list[str]]


def make(name: str) -> bytes:
    """The PDF of a text. Tables follow the text before them on the page, and what comes after them begins another."""
    title, about, *lines = (FOLDER / "texts" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    stem, language = name.split(".")
    document = pymupdf.open()
    text = f"<h1>{html.escape(title)}</h1><p class='about'>{html.escape(about)}</p>"
    for part in _parts(lines, language):
        if isinstance(part, str):
            text += part
        else:
            bottom = _write(document, text, 1) if text else _MARGIN
            _draw(document[-1] if text else document.new_page(width=_WIDTH, height=_HEIGHT), part, bottom)
            text = ""
    if text:
        _write(document, text, 2 if stem in _TWO_COLUMNS else 1)
    for number, page in enumerate(document, start=1):
        page.insert_text((_WIDTH / 2 - 8, _HEIGHT - 36), f"- {number} -", fontsize=8, color=(0.4, 0.4, 0.4))
    return _finished(document, title)


def scan(content: bytes, pages: int = 2) -> bytes:
    """The first pages of a PDF as pictures of one bit a dot, without any text."""
    with pymupdf.open() as scanned, pymupdf.open(stream=content) as document:
        for page in list(document)[:pages]:
            grey = page.get_pixmap(dpi=_DPI, colorspace=pymupdf.csGRAY).pil_image()
            packed = io.BytesIO()
            grey.convert("1", dither=0).save(packed, "PNG", optimize=True)
            sheet = scanned.new_page(width=_WIDTH, height=_HEIGHT)
            sheet.insert_image(sheet.rect, stream=packed.getvalue())
        return _finished(scanned, "")


def _parts(lines: Sequence[str], language: str) -> Iterator[str | _Table]:
    """HTML, and the tables between."""
    article = chapter = 0
    for block in re.split(r"\n(?=[=#@] )", "\n".join(lines)):
        first, *rest = block.splitlines()
        mark, said = first[:2], html.escape(first[2:])
        if mark == "@ ":
            yield _Table(first[2:], [[cell.strip() for cell in row.strip("| ").split(" | ")] for row in rest])
            continue
        if mark == "= ":
            is_numbered = re.match(r"\d", said) or said in {"요약", "Abstract"}
            chapter += 1
            number = "" if is_numbered else f"제{chapter}장 " if language == "ko" else f"Chapter {chapter}. "
            yield f"<h2>{number}{said}</h2>"
        else:
            article += 1
            yield f"<h3>제{article}조({said})</h3>" if language == "ko" else f"<h3>{article}. {said}</h3>"
        for at, paragraph in enumerate(rest):
            number = "" if len(rest) == 1 else f"{chr(0x2460 + at)} " if language == "ko" else f"({at + 1}) "
            yield f"<p>{number}{html.escape(paragraph)}</p>"


def _write(document: pymupdf.Document, text: str, columns: int) -> float:
    """Adds pages with a text; returns where it ends on the last of them."""
    width = (_WIDTH - 2 * _MARGIN - _GAP * (columns - 1)) / columns
    story = pymupdf.Story(_plain(text), user_css=_CSS)
    written = io.BytesIO()
    writer = pymupdf.DocumentWriter(written)
    more, column, bottom = True, 0, 0.0
    while more:
        left = _MARGIN + column * (width + _GAP)
        if not column:
            device = writer.begin_page(pymupdf.Rect(0, 0, _WIDTH, _HEIGHT))
        more, filled = story.place(pymupdf.Rect(left, _MARGIN, left + width, _HEIGHT - _MARGIN))
        story.draw(device)
        bottom = filled[3]
        column = (column + 1) % columns
        if not column or not more:
            writer.end_page()
    writer.close()
    with pymupdf.open(stream=written.getvalue()) as pages:
        document.insert_pdf(pages)
    return bottom


def _draw(page: pymupdf.Page, table: _Table, top: float) -> None:
    """Draws a table with all of its lines, on the next page if there is no room."""
    if top + _ROW * (len(table.rows) + 2) > _HEIGHT - _MARGIN:
        page = page.parent.new_page(width=_WIDTH, height=_HEIGHT)
        top = _MARGIN
    fonts = {True: pymupdf.Font("helv"), False: pymupdf.Font("cjk")}
    words = pymupdf.TextWriter(page.rect)

    def write(x: float, y: float, said: str, size: float) -> None:
        words.append((x, y), said, font=fonts[said.isascii()], fontsize=size)

    write(_MARGIN, top + 22, table.caption, _SIZE + 1)
    top += 30
    longest = [max(len(row[at].encode("utf-16")) for row in table.rows) for at in range(len(table.rows[0]))]
    edges = [float(_MARGIN)]
    for letters in longest:
        edges.append(edges[-1] + (_WIDTH - 2 * _MARGIN) * letters / sum(longest))
    bottom = top + _ROW * len(table.rows)
    page.draw_rect(pymupdf.Rect(edges[0], top, edges[-1], top + _ROW), width=0, fill=(0.92, 0.92, 0.92))
    for at in range(len(table.rows) + 1):
        page.draw_line((edges[0], top + _ROW * at), (edges[-1], top + _ROW * at), width=0.6)
    for x in edges:
        page.draw_line((x, top), (x, bottom), width=0.6)
    for at, row in enumerate(table.rows):
        for x, cell in zip(edges, row, strict=False):
            write(x + 5, top + _ROW * (at + 1) - 6, cell, _SIZE)
    words.write_text(page)


def _plain(text: str) -> str:
    """Keeps letters apart that the font would join: who searches for "first" should find it."""
    return re.sub("f(?=[fil])", "f<span></span>", text)


def _finished(document: pymupdf.Document, title: str) -> bytes:
    names = {"title": title, "author": "Papermesh", "creator": "samples/library/make.py", "producer": "PyMuPDF"}
    document.set_metadata({**names, "creationDate": _WRITTEN, "modDate": _WRITTEN})
    document.set_xml_metadata("")
    document.subset_fonts()
    made: bytes = document.tobytes(garbage=4, deflate=True, deflate_fonts=True, use_objstms=1, no_new_id=True)
    return made


def files() -> Iterator[tuple[str, bytes]]:
    """Each file's name and its bytes."""
    for name in NAMES:
        content = make(name)
        yield f"{name}.pdf", content
        if name.split(".")[0] in SCANNED:
            yield f"{name}.scan.pdf", scan(content)


if __name__ == "__main__":
    for file, content in files():
        (FOLDER / file).write_bytes(content)
