"""Pages of every kind that a reader of scans meets, made small and with known text."""

import math
from collections.abc import Callable
from random import Random
from typing import Any

from services.pdf.worker.mupdf import pymupdf

ENGLISH = (
    "The employee shall notify the manager before the leave begins.",
    "Unused days are not carried over into the following year.",
    "Expenses are paid within thirty days after a valid receipt.",
    "This rule applies to all offices of the company from May.",
)
KOREAN = (
    "직원은 휴가를 시작하기 전에 팀장에게 알려야 한다.",
    "사용하지 않은 휴가는 다음 해로 이월하지 아니한다.",
    "경비는 영수증을 제출한 날부터 삼십 일 안에 지급한다.",
    "이 규칙은 회사의 모든 사무소에 적용한다.",
)
FONT = pymupdf.Font("korea")


def lines(seed: int, count: int = 24) -> list[str]:
    rng = Random(seed)  # noqa: S311  # the same page each time
    return [rng.choice(KOREAN if seed % 2 else ENGLISH) for _ in range(count)]


def write(page: Any, texts: list[str], *, top: float = 90, left: float = 72, size: float = 10.5, mode: int = 0) -> None:
    writer = pymupdf.TextWriter(page.rect)
    for index, text in enumerate(texts):
        writer.append((left, top + index * 1.7 * size), text, font=FONT, fontsize=size)
    writer.write_text(page, render_mode=mode)


def photographed(texts: list[str], dpi: int = 150, width: float = 595, height: float = 842) -> Any:
    """A grey picture of a page with these lines."""
    with pymupdf.open() as document:
        page = document.new_page(width=width, height=height)
        write(page, texts)
        return page.get_pixmap(dpi=dpi, colorspace=pymupdf.csGRAY)


def landscape(seed: int, width: int = 480, height: int = 345) -> Any:
    """Sky, hills and grain."""
    rng = Random(seed)  # noqa: S311  # the same page each time
    phase, steep = rng.uniform(0, 6), rng.uniform(0.01, 0.03)
    pixels = bytearray()
    for y in range(height):
        for x in range(width):
            hill = height * (0.55 + 0.15 * math.sin(phase + x * steep) + 0.05 * math.sin(x * 0.05))
            grey = 225 - 60 * y / height if y < hill else 120 - 70 * (y - hill) / height
            pixels.append(int(grey + rng.uniform(-9, 9)))
    return pymupdf.Pixmap(pymupdf.csGRAY, width, height, bytes(pixels), 0)


def blank(page: Any, seed: int) -> None:
    if seed % 2:
        page.insert_image((40, 40, 90, 70), pixmap=pymupdf.Pixmap(pymupdf.csGRAY, (0, 0, 20, 12), 0))


def text(page: Any, seed: int) -> None:
    write(page, lines(seed))
    if seed % 2:
        page.insert_image((72, 560, 320, 740), pixmap=landscape(seed))


def scan(page: Any, seed: int) -> None:
    page.insert_image(page.rect, pixmap=photographed(lines(seed)))


def stamped_scan(page: Any, seed: int) -> None:
    page.insert_image(page.rect, pixmap=photographed(lines(seed)))
    write(page, [f"Received 2025-08-0{seed + 1}, page 7"], top=30, left=380, size=9)


def half_scan(page: Any, seed: int) -> None:
    write(page, lines(seed, 3))
    page.insert_image((60, 250, 535, 250 + 475 * 1.1), pixmap=photographed(lines(seed + 2, 30), 120, 595, 655))


def good_layer(page: Any, seed: int) -> None:
    texts = lines(seed)
    page.insert_image(page.rect, pixmap=photographed(texts))
    write(page, texts, mode=3)


def rotten_layer(page: Any, seed: int) -> None:
    texts = lines(seed)
    page.insert_image(page.rect, pixmap=photographed(texts))
    if seed % 2:  # two-byte Hangul taken for Latin-1
        rotten = [each.encode("cp949").decode("latin-1") for each in texts]
    else:  # each letter the third one after it
        rotten = ["".join(chr((ord(c) - 94) % 26 + 97) if c.islower() else c for c in each) for each in texts]
    for index, each in enumerate(rotten):
        page.insert_text((72, 90 + index * 17.85), each, fontname="helv", fontsize=10.5, render_mode=3)


def without_mapping(page: Any, seed: int) -> None:
    write(page, lines(seed))
    document = page.parent
    for xref, *_ in page.get_fonts():
        document.xref_set_key(xref, "ToUnicode", "null")


def outlines(page: Any, seed: int) -> None:
    """Letters as shapes: one for each, or a single one for all."""
    with pymupdf.open() as document:
        written = document.new_page()
        write(written, lines(seed, 6))
        svg = written.get_svg_image(text_as_path=True).encode()
    with pymupdf.open("svg", svg) as drawn, pymupdf.open("pdf", drawn.convert_to_pdf()) as shapes:
        if seed % 2:
            page.show_pdf_page(page.rect, shapes)
            return
        shape = page.new_shape()
        for kind, *points in (item for drawing in shapes[0].get_drawings() for item in drawing["items"]):
            if kind == "l":
                shape.draw_line(*points)
            elif kind == "c":
                shape.draw_bezier(*points)
        shape.finish(color=None, fill=(0, 0, 0), even_odd=True)
        shape.commit()


def picture_of_a_landscape(page: Any, seed: int) -> None:
    write(page, lines(seed, 10))
    page.insert_image((72, 330, 541, 330 + 469 * 0.72), pixmap=landscape(seed))


KINDS: dict[str, tuple[Callable[[Any, int], None], str | None]] = {
    "blank": (blank, None),
    "text": (text, None),
    "scan": (scan, "no_text"),
    "stamped scan": (stamped_scan, "picture"),
    "half scan": (half_scan, "picture"),
    "good text layer": (good_layer, None),
    "rotten text layer": (rotten_layer, "unmapped"),
    "font without mapping": (without_mapping, "unmapped"),
    "vector outlines": (outlines, "no_text"),
    "picture of a landscape": (picture_of_a_landscape, "picture"),
}
"""How to make each kind, and why it must be recognised."""
