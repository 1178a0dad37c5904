"""The questions about `samples/library`, and the chunks that a search would choose from.

Both languages have the same articles under the same numbers, so a question of one is asked of the other as well.
"""

import csv
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from benchmarks.layout import readings_of
from benchmarks.options import ROOT
from papermesh.pdf.v1.chunk_pb2 import TextChunk
from services.pdf.operations import MAX_CHARS
from services.pdf.retrieval.passages import said
from services.pdf.worker.chunks.chunks import chunks_of
from services.pdf.worker.chunks.sizes import Size

Way: TypeAlias = tuple[str, str]
"""The language that asks, and the one that is asked."""

WAYS: Sequence[Way] = (("ko", "ko"), ("en", "en"), ("ko", "en"), ("en", "ko"))

_LIBRARY = ROOT / "samples" / "library"
_SIGNS = {"ko": ("제{}조", "별표 {}"), "en": ("{}.", "Schedule {}.")}
"""What an article and a schedule begin with."""


class Asked(NamedTuple):
    """Questions of one language, and passages of the same or the other."""

    questions: Sequence[str]
    passages: Sequence[str]
    """As BM25 takes them."""

    said: Sequence[str]
    """As they become vectors."""

    right: Sequence[set[int]]
    """Which of the passages answer each question."""


def library() -> dict[Way, Asked]:
    """Every question with the chunks of all documents of a language. Scans are left out: their text is the same."""
    pools = {language: _chunks(language) for language in _SIGNS}
    with (_LIBRARY / "questions.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    found = {}
    for asking, asked in WAYS:
        pool, own = pools[asked], [row for row in rows if row["language"] == asking]
        right = [_right(row, asked, pool) for row in own]
        texts = [chunk.text for _, chunk in pool]
        found[asking, asked] = Asked([row["question"] for row in own], texts, [said(chunk) for _, chunk in pool], right)
    return found


def _chunks(language: str) -> list[tuple[str, TextChunk]]:
    return [
        (path.name.partition(".")[0], TextChunk(text=chunk.text, heading_path=chunk.path))
        for path in sorted(_LIBRARY.glob(f"*.{language}.pdf"))
        for chunk in chunks_of(readings_of(path), Size(MAX_CHARS))
    ]


def _right(row: Mapping[str, str], language: str, pool: Sequence[tuple[str, TextChunk]]) -> set[int]:
    """The chunks of the right document that have the section's beginning."""
    number = "".join(filter(str.isdecimal, row["section"]))
    article, schedule = _SIGNS[language]
    sign = (schedule if row["section"].startswith(("별표", "Schedule")) else article).format(number)
    begins = re.compile(rf"^{re.escape(sign)}[( ]", re.MULTILINE)
    document = row["document"].partition(".")[0]
    return {index for index, (name, chunk) in enumerate(pool) if name == document and begins.search(chunk.text)}
