"""samples/leave-policy.pdf, which the first examples use."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pymupdf
import pytest

SAMPLES = Path(__file__).resolve().parents[2] / "samples"


@pytest.fixture(scope="module")
def made() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_sample", SAMPLES / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_sample_is_what_its_script_makes(made: ModuleType) -> None:
    assert (SAMPLES / "leave-policy.pdf").read_bytes() == made.make()


def test_the_sample_has_something_to_show_for_every_example() -> None:
    file = SAMPLES / "leave-policy.pdf"
    assert file.stat().st_size < 200_000
    with pymupdf.open(file) as document:
        texts = [page.get_text() for page in document]
        assert len(texts) == 3
        assert document.metadata["title"] == "Leave policy / 휴가 규정"
        assert [2, "제2조 (연차휴가)", 3] in document.get_toc()
    assert "from the first day" in texts[0]
    assert "최초 1년을 초과하는 근속 연수" in texts[2]
