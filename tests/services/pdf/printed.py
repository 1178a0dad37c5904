"""Pages with known text as pictures, printed with the font for Korean that comes with PyMuPDF."""

from collections.abc import Sequence
from typing import Any

from services.pdf.worker.mupdf import pymupdf
from services.pdf.worker.ocr.numeric import Grey, np
from services.pdf.worker.ocr.picture import Picture

DPI = 200
KOREAN = (
    "근로자는 매년 연차 휴가를 사용할 수 있다",
    "회사는 근로자의 신청이 있으면 휴가를 준다",
    "휴가의 기간은 근로 기간에 따라 달라진다",
    "이 규칙은 공포한 날부터 바로 시행한다",
    "위원회는 매월 한 번 이상 회의를 연다",
    "회의의 결과는 모든 직원에게 알려야 한다",
)
ENGLISH = (
    "Every employee may take annual leave after",
    "one year of service with the company, and",
    "the manager answers each request in writing",
    "within seven days. Leave that was not taken",
    "by the end of the year is paid for in full",
    "with the last salary of the following month",
)


def page(*columns: Sequence[str], size: float = 12, rules: Sequence[tuple[int, int, int, int]] = ()) -> Grey:
    """A sheet of A5 with these columns of lines side by side, and ruling lines, in points."""
    with pymupdf.open() as document:
        sheet: Any = document.new_page(width=420, height=595)
        writer, font = pymupdf.TextWriter(sheet.rect), pymupdf.Font("korea")
        for number, lines in enumerate(columns):
            for row, line in enumerate(lines):
                writer.append((40 + 185 * number, 60 + 1.8 * size * row), line, font=font, fontsize=size)
        writer.write_text(sheet)
        for left, top, right, bottom in rules:
            sheet.draw_line((left, top), (right, bottom))
        pixels = sheet.get_pixmap(dpi=DPI, colorspace=pymupdf.csGRAY)
        return np.frombuffer(pixels.samples, np.uint8).reshape(pixels.height, pixels.width)


def file(pixels: Grey) -> bytes:
    return Picture(pixels).as_pgm()
