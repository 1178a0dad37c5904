"""Makes documents whose structure is known: HTML set by WeasyPrint, with its blocks, cells and running lines beside it.

Run by `layout.py` in an environment that has WeasyPrint: `python structured.py FOLDER SEED TEXTS`. Each document is
NAME-SEED.pdf and NAME-SEED.truth.json: `blocks` (type and text, in reading order), `tables` (rows of cells, none where
a cell spans two) and `running` (what stands on each page, and in no block).
"""

import html
import json
import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SHORTEST, _LONGEST = 60, 400
"""Characters of a paragraph."""

_LONGEST_WORD = 14
_ITEM = 120
_CIRCLED = "①②③④⑤⑥⑦⑧⑨"

_CSS = """
@page {{ size: A4; margin: 25mm 20mm; @top-left {{ content: "{head}"; font-size: 8pt }}
  @bottom-center {{ content: {foot}; font-size: 8pt }} }}
body {{ font: {size}pt '{font}'; line-height: 1.5; text-align: {align} }}
.cols {{ columns: {columns}; column-gap: 8mm }}
h1 {{ font-size: 18pt; column-span: all }} h2 {{ font-size: {h2}pt; font-weight: bold; margin: 1em 0 .3em }}
h3 {{ font-size: {h3}pt; font-weight: bold; margin: .8em 0 .2em }}
p {{ margin: .4em 0 }} p.item {{ margin-left: 1.2em; text-indent: -1.2em }}
p.cap {{ font-size: 8.5pt; text-align: center }}
table {{ border-collapse: collapse; margin: .5em auto; font-size: 8.5pt; width: 95% }}
td, th {{ padding: 3px 6px; text-align: left }} table.ruled td, table.ruled th {{ border: .5pt solid #000 }}
table.open tr:first-child th {{ border-bottom: .8pt solid #000 }}
table.open {{ border-top: .8pt solid #000; border-bottom: .8pt solid #000 }}
"""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A kind of document."""

    language: str
    font: str
    columns: int
    size: float
    h2: float
    h3: float
    align: str
    foot: str
    head: str


RECIPES = {
    "policy-ko": Recipe(
        "ko",
        "NanumMyeongjo",
        1,
        10.5,
        10.5,
        10.5,
        "justify",
        '"- " counter(page) " -"',
        "주식회사 가나다 취업규칙 (2025. 8. 1. 개정)",
    ),
    "report-ko": Recipe("ko", "NanumGothic", 2, 9, 11, 9.5, "justify", "counter(page)", "연차 보고서 제12권"),
    "spec-en": Recipe(
        "en",
        "DejaVu Serif",
        1,
        9.5,
        13,
        10.5,
        "left",
        '"Page " counter(page) " of " counter(pages)',
        "Interface specification, rev. 4",
    ),
    "paper-en": Recipe("en", "DejaVu Serif", 2, 8.5, 10.5, 9, "justify", "counter(page)", "Proc. of the 9th Workshop"),
    "contract-ko": Recipe(
        "ko",
        "Noto Serif CJK KR",
        1,
        10,
        10,
        10,
        "left",
        'counter(page) " / " counter(pages)',
        "물품공급계약서 제2025-118호",
    ),
}


class _Document:
    """HTML that is being written, and the truth about it."""

    def __init__(self, language: str, seed: int, texts: Path) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - not a secret: the same document for the same seed
        lines = [line.strip() for line in (texts / f"guide.{language}.txt").read_text("utf-8").splitlines()]
        self._paragraphs = [line for line in lines if _SHORTEST < len(line) < _LONGEST]
        self.chance.shuffle(self._paragraphs)
        words = [word.strip(".,:;()“”") for line in self._paragraphs[:300] for word in line.split()]
        self._words = [word for word in words if 1 < len(word) < _LONGEST_WORD]
        self._is_korean = language == "ko"
        self._number = 0
        self.written: list[str] = []
        self.blocks: list[dict[str, str]] = []
        self.tables: list[list[list[str | None]]] = []

    def heading(self, level: int, *, is_numbered: bool = True) -> None:
        title = self._some_words(3)
        if is_numbered:
            self._number += 1
            is_article = self._is_korean and level == 2  # noqa: PLR2004  # the level of articles
            title = f"제{self._number}조 ({title})" if is_article else f"{self._number}. {title}"
        self._add("heading", f"h{level}", title)

    def paragraphs(self, count: int) -> None:
        for _ in range(count):
            self._add("text", "p", self._paragraphs.pop())

    def items(self, count: int, style: str) -> None:
        texts = [self._paragraphs.pop()[:_ITEM].strip() for _ in range(count)]
        if style == "circled":
            for mark, text in zip(_CIRCLED, texts, strict=False):
                self._add("list", "p", f"{mark} {text}", "item")
            return
        self.blocks += [{"type": "list", "text": text} for text in texts]
        items = "".join(f"<li>{html.escape(text)}</li>" for text in texts)
        self.written.append(f"<{style}>{items}</{style}>")

    def table(self, columns: int, *, is_ruled: bool, spans: bool) -> None:
        name = "표" if self._is_korean else "Table"
        self._add("caption", "p", f"{name} {len(self.tables) + 1}. {self._some_words(3)}", "cap")
        rows: list[list[str | None]] = [
            [self._some_words(self.chance.choice([1, 1, 2])) for _ in range(columns)] for _ in range(5)
        ]
        for row in rows[1:]:
            row[-1] = f"{self.chance.randrange(10**6):,}"
        if spans:
            rows[2][1] = None
        written = []
        for index, row in enumerate(rows):
            tag = "th" if index == 0 else "td"
            span = ' colspan="2"' if None in row else ""
            cells = [f"<{tag}{span if at == 0 else ''}>{html.escape(c)}</{tag}>" for at, c in enumerate(row) if c]
            written.append(f"<tr>{''.join(cells)}</tr>")
        self.written.append(f"<table class={'ruled' if is_ruled else 'open'}>{''.join(written)}</table>")
        self.tables.append(rows)
        self.blocks.append({"type": "table", "text": " ".join(cell for row in rows for cell in row if cell)})

    def _add(self, kind: str, tag: str, text: str, style: str = "") -> None:
        self.blocks.append({"type": kind, "text": text})
        self.written.append(f"<{tag}{f' class={style}' if style else ''}>{html.escape(text)}</{tag}>")

    def _some_words(self, count: int) -> str:
        return " ".join(self.chance.sample(self._words, count))


def build(name: str, seed: int, texts: Path) -> tuple[str, dict[str, Any]]:
    """The HTML of a document, and the truth about it."""
    recipe = RECIPES[name]
    document = _Document(recipe.language, seed, texts)
    document.heading(1, is_numbered=False)
    head = document.written.pop()
    for section in range(6):
        document.heading(2)
        document.paragraphs(document.chance.choice([1, 2]))
        if name in {"policy-ko", "contract-ko"}:
            document.items(3, "circled")
        elif section % 2:
            document.items(3, document.chance.choice(["ul", "ol"]))
        if name in {"spec-en", "report-ko", "paper-en"} and section % 3 == 1:
            document.heading(3)
            document.paragraphs(1)
        if section % 2 == 0:
            document.table(3 if recipe.columns > 1 else 4, is_ruled=section % 4 == 0, spans=section == 4)  # noqa: PLR2004  # which sections, and columns
        document.paragraphs(1)
    body = f"{head}<div class=cols>{''.join(document.written)}</div>"
    style = _CSS.format(**{field: getattr(recipe, field) for field in Recipe.__slots__})
    page = f"<html lang={recipe.language}><style>{style}</style><body>{body}</body></html>"
    return page, {"blocks": document.blocks, "tables": document.tables, "running": [recipe.head]}


def main(folder: Path, seed: int, texts: Path) -> None:
    """Makes one document of each kind."""
    import weasyprint  # noqa: PLC0415  # the tests of the truth need none

    folder.mkdir(parents=True, exist_ok=True)
    for name in RECIPES:
        page, truth = build(name, seed, texts)
        weasyprint.HTML(string=page).write_pdf(folder / f"{name}-{seed}.pdf")
        (folder / f"{name}-{seed}.truth.json").write_text(json.dumps(truth, ensure_ascii=False), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
