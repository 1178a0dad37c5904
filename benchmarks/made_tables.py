"""Makes documents whose tables are known: HTML set by WeasyPrint, with each table's cells beside it.

Needs an environment that has WeasyPrint: `python made_tables.py FOLDER SEED TEXTS`. Each document is KIND-SEED.pdf and
KIND-SEED.truth.json, a list of tables: `header_rows`, and `cells` as lists of row, column, rows and columns spanned,
and text. Kinds: ruled, half (three lines), unruled, long (two that go on over pages), none.
"""

import html
import json
import random
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

_CSS = """
@page { size: A4; margin: 25mm 20mm; @top-left { content: "Rules of the company"; font-size: 8pt }
  @bottom-center { content: "- " counter(page) " -"; font-size: 8pt } }
body { font: 10pt FONT; line-height: 1.5 } p { margin: .4em 0 } .cols { columns: 2 } pre { font-size: 8pt }
table { border-collapse: collapse; margin: 1em auto; font-size: 8.5pt; width: 95% }
td, th { padding: 3px 6px; text-align: left }
table.ruled td, table.ruled th { border: .5pt solid #000 }
table.half { border-top: .8pt solid #000; border-bottom: .8pt solid #000 }
table.half thead tr:last-child th { border-bottom: .8pt solid #000 } th.over { border-bottom: .5pt solid #000 }
table.half th.over { text-align: center } .n { text-align: right !important }
.toc { display: flex; justify-content: space-between }
"""
_FONTS = {"ko": "NanumMyeongjo", "en": "'DejaVu Serif'"}
_SHORTEST, _LONGEST = 60, 400
_LONGEST_WORD = 14
_LONG = (45, 90)
"""Rows of a table that goes on over pages."""

_HALF = 0.5
_SPANNING = 0.2
"""The share of cells that span others."""

_LEAST_WITH_HEADS = 2
"""Columns below a head over several, at least, and one more."""


class Maker:
    """Makes documents of one language."""

    def __init__(self, language: str, seed: int, texts: Path) -> None:
        self._random = random.Random(f"{language}{seed}")  # noqa: S311  # the same documents each time
        lines = (texts / f"guide.{language}.txt").read_text("utf-8").splitlines()
        self._paragraphs = [line for line in lines if _SHORTEST < len(line) < _LONGEST]
        words = {word.strip(".,:;()“”") for line in self._paragraphs for word in line.split()}
        self._words = sorted(word for word in words if 1 < len(word) < _LONGEST_WORD)
        self._font = _FONTS[language]
        self.tables: list[dict[str, Any]] = []
        self._parts: list[str] = []

    def write(self, path: Path) -> None:
        """Writes the document and its truth."""
        page = f"<style>{_CSS.replace('FONT', self._font)}</style>{''.join(self._parts)}"
        import_module("weasyprint").HTML(string=page).write_pdf(path)
        path.with_suffix(".truth.json").write_text(json.dumps(self.tables, ensure_ascii=False), "utf-8")

    def prose(self, count: int = 2) -> None:
        """Paragraphs."""
        self._parts += [f"<p>{html.escape(self._random.choice(self._paragraphs))}</p>" for _ in range(count)]

    def table(self, look: str, rows: int, columns: int, *, spans: bool = False, repeats: bool = True) -> None:
        """A table; with `spans`, some of its cells span others."""
        head = 2 if spans and columns > _LEAST_WITH_HEADS and self._random.random() < _HALF else 1
        cells: list[list[Any]] = []
        taken: set[tuple[int, int]] = set()
        for row in range(rows):
            for column in range(columns):
                if (row, column) in taken:
                    continue
                down, across = self._span((row, column), (rows, columns), head, look) if spans else (1, 1)
                covered = {(row + i, column + j) for i in range(down) for j in range(across)}
                if covered & taken:
                    down, across, covered = 1, 1, {(row, column)}
                taken |= covered
                is_number = row >= head and column == columns - 1 and across == 1
                text = f"{self._random.randrange(10**6):,}" if is_number else self._label()
                cells.append([row, column, down, across, text])
        self.tables.append({"header_rows": head, "cells": cells})
        self._parts.append(_html(look, cells, rows, head, repeats=repeats))

    def other(self) -> None:
        """What is no table: lists, contents, columns, a program, a note in a frame."""
        items = "".join(f"<li>{html.escape(self._random.choice(self._paragraphs)[:90])}</li>" for _ in range(5))
        entries = "".join(
            f"<div class=toc><span>{number}. {html.escape(self._label())}</span><span>{3 * number}</span></div>"
            for number in range(1, 9)
        )
        program = "\n".join(f"    {name} = {index * 7}  # {name} of it" for index, name in enumerate("abcdef"))
        frame = "<p style='border: 1px solid #000; padding: 6px'>"
        self._parts += [f"<ol>{items}</ol>", entries, f"<pre>{program}</pre>", frame]
        self.prose(1)
        self._parts.append("</p><div class=cols>")
        self.prose(10)
        self._parts.append("</div><hr>")

    def _label(self) -> str:
        return " ".join(self._random.sample(self._words, self._random.choice([1, 1, 2])))

    def _span(self, place: tuple[int, int], size: tuple[int, int], head: int, look: str) -> tuple[int, int]:
        (row, column), (rows, columns) = place, size
        if row < head:
            if head > 1 and row == 0 and 0 < column < columns - 1:
                return 1, 2
            return (2, 1) if head > 1 and row == 0 and look == "ruled" else (1, 1)
        chance = self._random.random()
        if look != "ruled" or column == columns - 1 or chance > _SPANNING:
            return 1, 1
        if chance < _SPANNING / 2:
            return 1, min(2, columns - 1 - column)
        return min(2, rows - row), 1


def _html(look: str, cells: list[list[Any]], rows: int, head: int, *, repeats: bool) -> str:
    lines = []
    for row in range(rows):
        tag = "th" if row < head else "td"
        inner = ""
        for _, column, down, across, text in (cell for cell in cells if cell[0] == row):
            kind = (
                " class=over"
                if tag == "th" and across > 1
                else " class=n"
                if column and text.replace(",", "").isdigit()
                else ""
            )
            inner += f"<{tag} rowspan={down} colspan={across}{kind}>{html.escape(text)}</{tag}>"
        lines.append(f"<tr>{inner}</tr>")
    body = "".join(lines[head:])
    top = f"<thead>{''.join(lines[:head])}</thead>" if repeats else "".join(lines[:head])
    return f"<table class={look}>{top}{body}</table>"


def main() -> None:
    """Makes one document of each kind and language."""
    folder, seed, texts = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    for language in _FONTS:
        for kind in ("ruled", "half", "unruled", "long", "none"):
            maker = Maker(language, seed, texts)
            rng = random.Random(f"{kind}{language}{seed}")  # noqa: S311  # the same documents each time
            maker.prose()
            if kind == "none":
                for _ in range(3):
                    maker.other()
            elif kind == "long":
                for look in ("ruled", "half"):
                    maker.table(look, rng.randrange(*_LONG), rng.randrange(2, 6), repeats=rng.random() < _HALF)
                    maker.prose()
            else:
                for number in range(4):
                    maker.table(
                        kind, rng.randrange(4, 9), rng.randrange(3, 6), spans=kind != "unruled" and number % 2 == 0
                    )
                    maker.prose()
            maker.write(folder / f"{kind}-{language}-{seed}.pdf")


if __name__ == "__main__":
    main()
