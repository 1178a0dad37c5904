"""Draws a document anew, its content stream out of reading order: running lines first, then all columns by height."""

from pathlib import Path
from typing import Any

from services.pdf.worker.mupdf import pymupdf

_FONTS = "/usr/share/fonts/truetype/nanum/"
_BOLD = 16
_BODY = 0.08, 0.92
"""Of a page's height: what stands outside is drawn first."""


def scramble(source: Path, target: Path) -> None:
    """Writes `target`: the text of `source` in other fonts of like size and weight, and its lines and boxes."""
    plain = pymupdf.Font(fontfile=f"{_FONTS}NanumMyeongjo.ttf")
    bold = pymupdf.Font(fontfile=f"{_FONTS}NanumMyeongjoBold.ttf")
    with pymupdf.open(source) as document, pymupdf.open() as drawn:
        for page in document:
            fresh = drawn.new_page(width=page.rect.width, height=page.rect.height)
            for span in _spans(page):
                font = bold if span["flags"] & _BOLD else plain
                width = font.text_length(span["text"], fontsize=span["size"])
                room = span["bbox"][2] - span["bbox"][0]
                size = span["size"] * max(0.8, min(1.0, room / width if width else 1.0))
                writer = pymupdf.TextWriter(fresh.rect)
                writer.append(span["origin"], span["text"], font=font, fontsize=size)
                writer.write_text(fresh)
            _draw_lines(page, fresh)
        drawn.save(target, garbage=4, deflate=True)


def _spans(page: Any) -> list[dict[str, Any]]:
    height = page.rect.height
    blocks = page.get_text("dict", flags=pymupdf.TEXT_PRESERVE_WHITESPACE)["blocks"]
    lines = [line for block in blocks for line in block["lines"]]

    def place(line: dict[str, Any]) -> tuple[bool, int, float]:
        left, top = line["bbox"][:2]
        return _BODY[0] * height < top < _BODY[1] * height, round(top / 2), -left

    return [span for line in sorted(lines, key=place) for span in line["spans"] if span["text"].strip()]


def _draw_lines(page: Any, fresh: Any) -> None:
    for drawing in page.get_drawings():
        for item in drawing["items"]:
            if item[0] == "l":
                fresh.draw_line(item[1], item[2], width=0.5)
            elif item[0] == "re":
                fresh.draw_rect(item[1], width=0.3, fill=(0, 0, 0) if drawing.get("fill") else None)
