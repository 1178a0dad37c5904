import shutil
from functools import partial
from importlib.metadata import version
from pathlib import Path

import pytest

from services.pdf import engine_version as module
from services.pdf.engine_version import INPUTS, digest_of_sources, engine_version

SOURCES = Path(module.__file__).parent
SHAPING = ("operations.py", "pages.py", "parts.py", "processes/limits.py", "servicer.py", "worker/text.py")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The sources of the service."""
    return shutil.copytree(SOURCES, tmp_path / "pdf", ignore=shutil.ignore_patterns("__pycache__"))


def version_of(sources: Path) -> str:
    return engine_version({**INPUTS, "pdf": partial(digest_of_sources, sources)})


def test_it_is_the_version_of_what_runs() -> None:
    assert engine_version() == version_of(SOURCES)
    packages = [f"{name}-{version(name)}" for name in ("pymupdf", "numpy", "pillow")]
    splitter, re2, onnx = (version(name) for name in ("semantic-text-splitter", "google-re2", "onnxruntime"))
    libraries = [f"splitter-{splitter}", f"re2-{re2}", f"onnx-{onnx}"]
    assert engine_version().split("+")[1:] == [*packages, *libraries]


@pytest.mark.parametrize("source", SHAPING)
def test_a_change_to_whatever_shapes_a_result_is_another_engine(copy: Path, source: str) -> None:
    assert version_of(copy) == engine_version()
    assert (copy / source).exists()
    with (copy / source).open("a", encoding="utf-8") as file:
        file.write("# touched\n")
    assert version_of(copy) != engine_version()


@pytest.mark.parametrize("changed", INPUTS)
def test_so_is_a_change_to_any_input(changed: str) -> None:
    assert engine_version({**INPUTS, changed: lambda: "another"}) != engine_version()


def test_what_is_no_source_is_no_part_of_it(copy: Path) -> None:
    (copy / "notes.txt").write_text("nothing that runs")
    assert version_of(copy) == engine_version()
