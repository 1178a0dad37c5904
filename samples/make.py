"""Makes samples/leave-policy.pdf: `.venv/bin/python samples/make.py`. The same bytes each time.

Three pages, English and Korean, with a title, headings, an outline, a table and document information: enough for every
example in the documentation to have something to show.
"""

import re
from pathlib import Path

import pymupdf

TARGET = Path(__file__).with_name("leave-policy.pdf")

_TITLE = "Leave policy / 휴가 규정"
_MARGIN = 64
_WRITTEN = "D:20250901090000+09'00'"

_CSS = """
* { font-family: sans-serif; font-size: 10.5pt; line-height: 1.45; }
h1 { font-size: 20pt; margin-bottom: 2pt; }
h2 { font-size: 13pt; margin-top: 14pt; margin-bottom: 2pt; }
p { margin-top: 4pt; margin-bottom: 4pt; }
.small { font-size: 9pt; color: #555555; }
"""

_PAGES = (
    """
<h1>Leave policy</h1>
<p class="small">Hanbit Bookbinding Co., Ltd. Version 2025.09, in force from 1 September 2025</p>
<h2>1. Purpose</h2>
<p>This policy says how much paid leave an employee has, how to ask for it and who decides. It applies to everyone
with a contract of employment, from the first day and whatever the hours. The Korean text on page 3 is the binding
one.</p>
<h2>2. Annual leave</h2>
<p>An employee who has worked one year with an attendance of at least 80 percent has 15 days of annual leave. From
the third year on, one day is added for every two years of service, up to 25 days in all.</p>
<p>In the first year of service, one day is earned for every full month worked.</p>
<h2>3. Asking for leave</h2>
<p>Leave is asked for in the personnel system, three working days ahead for up to two days and two weeks ahead for
more. The team leader answers within one working day. A request that nobody has answered by then counts as
granted.</p>
<p>The company may propose another time only where the leave would seriously disturb its work, and says why in
writing.</p>
""",
    """
<h2>4. Leave by years of service</h2>
<p>The table shows the days of annual leave that section 2 gives.</p>
""",
    """
<h1>휴가 규정</h1>
<p class="small">주식회사 한빛제책 · 2025.09 판 · 2025년 9월 1일 시행</p>
<h2>제1조 (목적)</h2>
<p>이 규정은 직원의 유급휴가 일수, 신청 방법 및 승인 절차를 정함을 목적으로 한다.</p>
<h2>제2조 (연차휴가)</h2>
<p>① 1년간 80퍼센트 이상 출근한 직원에게 15일의 연차휴가를 준다.</p>
<p>② 3년 이상 계속 근무한 직원에게는 최초 1년을 초과하는 근속 연수 매 2년에 대하여 1일을 가산한다. 이 경우 총 휴가
일수는 25일을 한도로 한다.</p>
<p>③ 근속 1년 미만인 직원에게는 1개월 개근 시 1일의 휴가를 준다.</p>
<h2>제3조 (휴가의 신청)</h2>
<p>① 이틀 이하의 휴가는 3영업일 전에, 그 밖의 휴가는 2주 전에 인사 시스템에 신청한다.</p>
<p>② 팀장은 1영업일 이내에 답하여야 하며, 그때까지 답이 없는 신청은 승인된 것으로 본다.</p>
<h2>제4조 (경조휴가)</h2>
<p>본인의 결혼은 5일, 자녀의 결혼은 1일, 배우자의 출산은 20일, 부모의 사망은 5일로 한다.</p>
<h2>부칙</h2>
<p>이 규정은 2025년 9월 1일부터 시행한다.</p>
""",
)

_AFTER_TABLE = """
<h2>5. Family occasions</h2>
<p>Besides annual leave there are five days for one's own wedding, one day for a child's wedding, twenty days when a
spouse gives birth, and five days on the death of a parent. They are paid, and are not taken off the annual
leave.</p>
<h2>6. Unused leave</h2>
<p>Leave that was not taken by the end of the year is paid out in January, unless the company had asked the employee
in writing, six months and again two months before, to take it.</p>
<h2>7. Changes</h2>
<p>The personnel department keeps this policy, tells everyone about a change at least thirty days ahead, and answers
questions about it.</p>
"""

_TABLE = (
    ("Years of service", "Days of leave"),
    ("1 and 2", "15"),
    ("3 and 4", "16"),
    ("5 and 6", "17"),
    ("11 and 12", "20"),
    ("21 and more", "25"),
)
_TABLE_TOP, _ROW, _COLUMNS = 128, 20, (150, 110)

_OUTLINE = (
    (1, "Leave policy", 1),
    (2, "1. Purpose", 1),
    (2, "2. Annual leave", 1),
    (2, "3. Asking for leave", 1),
    (2, "4. Leave by years of service", 2),
    (2, "5. Family occasions", 2),
    (2, "6. Unused leave", 2),
    (2, "7. Changes", 2),
    (1, "휴가 규정", 3),
    (2, "제1조 (목적)", 3),
    (2, "제2조 (연차휴가)", 3),
    (2, "제3조 (휴가의 신청)", 3),
    (2, "제4조 (경조휴가)", 3),
    (2, "부칙", 3),
)


def make() -> bytes:
    """The file's bytes."""
    document = pymupdf.open()
    for number, html in enumerate(_PAGES, start=1):
        page = document.new_page(width=595, height=842)  # A4
        body = pymupdf.Rect(_MARGIN, _MARGIN, page.rect.width - _MARGIN, page.rect.height - _MARGIN)
        page.insert_htmlbox(body, _plain(html), css=_CSS)
        if number == 2:  # noqa: PLR2004  # the page with the table
            bottom = _draw_table(page)
            page.insert_htmlbox(body + (0, bottom - _MARGIN + 8, 0, 0), _plain(_AFTER_TABLE), css=_CSS)  # noqa: RUF005  # a Rect is moved, not joined
        for x, text in (
            (_MARGIN, "Leave policy 2025.09"),
            (page.rect.width - _MARGIN - 16, f"{number} / {len(_PAGES)}"),
        ):
            page.insert_text((x, page.rect.height - _MARGIN / 2), text, fontsize=8, color=(0.4, 0.4, 0.4))
    document.set_toc([list(entry) for entry in _OUTLINE])
    document.set_metadata(
        {
            "title": _TITLE,
            "author": "Papermesh",
            "subject": "A sample: the leave policy of a company that does not exist",
            "keywords": "sample, leave, policy, 휴가, 규정",
            "creator": "samples/make.py",
            "producer": "PyMuPDF",
            "creationDate": _WRITTEN,
            "modDate": _WRITTEN,
        }
    )
    document.set_xml_metadata("")
    document.subset_fonts()
    made: bytes = document.tobytes(garbage=4, deflate=True, deflate_fonts=True, use_objstms=1, no_new_id=True)
    return made


def _plain(html: str) -> str:
    """Keeps letters apart that the font would join: who searches for "first" should find it."""
    return re.sub("f(?=[fil])", "f<span></span>", html)


def _draw_table(page: pymupdf.Page) -> float:
    """Draws the table with its lines; returns its bottom."""
    left, right = _MARGIN, _MARGIN + sum(_COLUMNS)
    bottom = _TABLE_TOP + _ROW * len(_TABLE)
    for row, cells in enumerate(_TABLE):
        top = _TABLE_TOP + _ROW * row
        page.draw_line((left, top), (right, top), width=0.6)
        for column, text in enumerate(cells):
            start = pymupdf.Point(left + sum(_COLUMNS[:column]) + 6, top + _ROW - 6)
            page.insert_text(start, text, fontsize=10, fontname="hebo" if row == 0 else "helv")
    page.draw_line((left, bottom), (right, bottom), width=0.6)
    for x in (left, left + _COLUMNS[0], right):
        page.draw_line((x, _TABLE_TOP), (x, bottom), width=0.6)
    return bottom


if __name__ == "__main__":
    TARGET.write_bytes(make())
