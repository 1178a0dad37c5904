"""Search in the cases that are hard to read: what was read of them is found."""

from pathlib import Path

import pytest

from services.pdf.worker.reading import read_page_words
from tests.services.pdf.support import open_path
from tests.services.pdf.worker.search.searching import search

FOLDER = Path(__file__).parents[2] / "cases"
CASES = [path for path in sorted(FOLDER.glob("*.pdf")) if path.stem != "public-key"]
"""All but the one that nobody can open."""


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_each_word_that_was_read_of_a_case_is_found(path: Path) -> None:
    document = open_path(path)
    readings = {page: read_page_words(document, page) for page in range(1, document.page_count + 1)}
    seen = [line for reading in readings.values() for line in reading.lines if not line.hidden]
    for line in seen[:3]:
        for word in line.text.split()[:2]:
            answer = search(readings, word)
            assert answer["total"] >= 1, word
            assert all(box["page"] in readings for hit in answer["hits"] for box in hit["boxes"])
    assert search(readings, ".", mode="regex")["total"] >= sum(len(line.text.split()) for line in seen)
