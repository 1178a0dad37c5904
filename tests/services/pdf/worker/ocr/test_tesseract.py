import time
from pathlib import Path

import psutil
import pytest

from services.base.errors import Code, PapermeshError
from services.pdf.worker.ocr import tesseract
from services.pdf.worker.ocr.trained_data import models_for
from tests.services.pdf.printed import DPI, ENGLISH, file, page
from tests.support.programs import needed

pytestmark = [pytest.mark.usefixtures("program"), pytest.mark.measures_time]

SLEEPING = "#!/bin/sh\necho $$ > {}\nexec sleep 600\n"


@pytest.fixture(scope="module")
def program() -> Path:
    return needed("tesseract", "tesseract-ocr")


def run(picture: bytes, *, seconds: float = 60) -> str:
    return tesseract.run(
        picture,
        ["eng"],
        models_for(["eng"], "").folder,
        dpi=DPI,
        segmentation=tesseract.ONE_COLUMN,
        ends=time.monotonic() + seconds,
    )


def wait_until_dead(pid: int) -> None:
    """Nobody may have reaped it yet."""
    ends = time.monotonic() + 30
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < ends, f"process {pid} lives on"


def test_one_run_writes_the_words_and_then_the_text() -> None:
    rows = run(file(page(ENGLISH[:2]))).split("\n")
    assert rows[0].startswith("level\t")
    assert next(row for row in rows if row and "\t" not in row) == ENGLISH[0]


def test_what_it_cannot_read_is_a_failure_with_a_type() -> None:
    with pytest.raises(PapermeshError) as failed:
        run(b"no picture")
    assert failed.value.code is Code.ENGINE_FAIL


def test_a_program_that_is_missing_is_a_failure_with_a_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tesseract, "PROGRAM", "/nowhere/tesseract")
    with pytest.raises(PapermeshError, match="No such file"):
        run(b"")


def test_what_takes_too_long_is_killed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stuck = tmp_path / "stuck"
    stuck.write_text(SLEEPING.format(tmp_path / "pids"))
    stuck.chmod(0o755)
    monkeypatch.setattr(tesseract, "PROGRAM", str(stuck))
    with pytest.raises(PapermeshError, match="too long"):
        run(b"", seconds=2)
    for pid in (tmp_path / "pids").read_text().split():
        wait_until_dead(int(pid))
