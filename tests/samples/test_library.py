"""samples/library: documents, and questions about them."""

import csv
import importlib.util
import re
from collections import Counter
from functools import cache
from pathlib import Path
from types import ModuleType

import pymupdf
import pytest

from services.pdf.worker.chunks.chunks import Chunk, chunks_of
from services.pdf.worker.chunks.sizes import Size
from services.pdf.worker.readings import Readings
from tests.services.pdf.support import open_path
from tests.services.pdf.viewing import given

LIBRARY = Path(__file__).resolve().parents[2] / "samples" / "library"
NAMES = sorted(path.stem for path in (LIBRARY / "texts").iterdir())
SCANS = sorted(path.name for path in LIBRARY.glob("*.scan.pdf"))
LANGUAGES = ("ko", "en")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_library", LIBRARY / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def questions() -> list[dict[str, str]]:
    with (LIBRARY / "questions.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def texts_of(document: pymupdf.Document) -> list[str]:
    return [page.get_text() for page in document]


@cache
def chunks(name: str) -> list[Chunk]:
    return chunks_of(Readings.take(given(open_path(LIBRARY / f"{name}.pdf"))), Size(1_200))


@pytest.mark.parametrize("name", NAMES)
def test_a_document_has_the_text_that_the_script_writes(script: ModuleType, name: str) -> None:
    with pymupdf.open(LIBRARY / f"{name}.pdf") as kept, pymupdf.open(stream=script.make(name)) as made:
        assert texts_of(kept) == texts_of(made)


@pytest.mark.parametrize("name", SCANS)
def test_a_scan_has_pictures_and_no_text(name: str) -> None:
    with pymupdf.open(LIBRARY / name) as scan:
        assert 1 <= len(scan) <= 2
        assert all(len(page.get_images()) == 1 and not page.get_text().strip() for page in scan)


def test_a_document_of_each_kind_is_there_as_a_scan(script: ModuleType) -> None:
    assert [f"{name}.{language}.scan.pdf" for name in sorted(script.SCANNED) for language in ("en", "ko")] == SCANS


def test_the_files_are_small() -> None:
    sizes = [path.stat().st_size for path in LIBRARY.glob("*.pdf")]
    assert max(sizes) < 100_000
    assert sum(sizes) < 2_000_000


def test_both_languages_have_the_same_articles() -> None:
    for name in {name.split(".")[0] for name in NAMES}:
        one, other = ((LIBRARY / "texts" / f"{name}.{each}.txt").read_text(encoding="utf-8") for each in LANGUAGES)
        marks = [
            [line[:2] for line in text.splitlines() if line[:2] in {"= ", "# ", "@ ", "| "}] for text in (one, other)
        ]
        assert marks[0] == marks[1], name


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith(("paper", "tables"))])
def test_each_article_is_one_chunk(name: str) -> None:
    pattern = r"^제(\d+)조\(" if name.endswith("ko") else r"^(\d+)\. "
    found = [int(number) for chunk in chunks(name) for number in re.findall(pattern, chunk.text, re.MULTILINE)]
    assert found == list(range(1, 26))
    assert max(len(re.findall(pattern, chunk.text, re.MULTILINE)) for chunk in chunks(name)) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_more_than_200_chunks_a_language(language: str) -> None:
    assert sum(len(chunks(name)) for name in NAMES if name.endswith(language)) > 200


def test_there_are_60_questions_a_language_no_two_of_which_have_the_same_answer() -> None:
    asked = questions()
    assert Counter(each["language"] for each in asked) == dict.fromkeys(LANGUAGES, 60)
    assert (
        len({(each["document"], each["section"]) for each in asked}) == len({each["question"] for each in asked}) == 120
    )
    assert all(each["document"].endswith(each["language"]) for each in asked)


@pytest.mark.parametrize("name", sorted({each["document"] for each in questions()}))
def test_each_question_has_one_chunk_that_answers_it_on_its_page(name: str) -> None:
    for asked in questions():
        if asked["document"] == name:
            begins = re.compile(rf"^{re.escape(asked['section'])}[( ]", re.MULTILINE)
            found = [chunk for chunk in chunks(name) if begins.search(chunk.text)]
            assert len(found) == 1, asked
            assert int(asked["page"]) in {place.page for place in found[0].places}
