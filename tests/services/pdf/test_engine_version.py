import shutil
from pathlib import Path

import pytest

from services.pdf import engine_version as module
from services.pdf.engine_version import engine_version

SOURCES = Path(module.__file__).parent
SHAPING = ("pages.py", "engine.py", "limits.py", "servicer.py", "worker/text.py", "worker/outline.py")


def test_it_is_the_version_of_what_runs() -> None:
    assert engine_version() == engine_version(SOURCES)
    assert "+pymupdf-" in engine_version()


@pytest.mark.parametrize("source", SHAPING)
def test_a_change_to_whatever_shapes_a_result_is_another_engine(tmp_path: Path, source: str) -> None:
    copy = shutil.copytree(SOURCES, tmp_path / "pdf", ignore=shutil.ignore_patterns("__pycache__"))
    assert engine_version(copy) == engine_version()
    with (copy / source).open("a", encoding="utf-8") as file:
        file.write("# touched\n")
    assert engine_version(copy) != engine_version()


def test_what_is_no_source_is_no_part_of_it(tmp_path: Path) -> None:
    copy = shutil.copytree(SOURCES, tmp_path / "pdf", ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "notes.txt").write_text("nothing that runs")
    assert engine_version(copy) == engine_version()
