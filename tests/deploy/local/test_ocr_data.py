"""deploy/local/ocr_data.sh with npm stood in for: what it packs is another file than the one that is pinned."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.support.programs import needed

PROGRAMS = ("cat", "cp", "env", "gzip", "mkdir", "mv", "rm", "sha256sum", "sh", "tar", "timeout")
OTHER_DATA = """#!/bin/sh
language=${4#*/}
language=${language%@*}
mkdir -p package/4.0.0_best_int
echo other | gzip >package/4.0.0_best_int/$language.traineddata.gz
tar -czf tesseract.js-data-$language-1.0.0.tgz package
"""
INSTALLED = Path("/usr/share/tesseract-ocr/5/tessdata")


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    needed("tesseract", "tesseract-ocr")
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in PROGRAMS:
        (folder / name).symlink_to(str(shutil.which(name)))
    return folder


def bring(folder: Path, programs: Path) -> "subprocess.CompletedProcess[str]":
    command = ["/bin/sh", str(ROOT / "deploy" / "local" / "ocr_data.sh"), str(folder)]
    return subprocess.run(command, env={"PATH": str(programs)}, capture_output=True, text=True, timeout=60, check=True)


def npm(programs: Path, script: str) -> None:
    (programs / "npm").write_text(script)
    (programs / "npm").chmod(0o755)


def test_without_npm_nothing_is_said_and_nothing_is_there(tmp_path: Path, programs: Path) -> None:
    done = bring(tmp_path / "data", programs)
    assert (done.stdout, done.stderr) == ("", "")
    assert list(tmp_path.iterdir()) == [programs]


def test_a_registry_that_does_not_answer_is_no_error(tmp_path: Path, programs: Path) -> None:
    npm(programs, "#!/bin/sh\nexit 1\n")
    assert bring(tmp_path / "data", programs).stderr == ""
    assert list(tmp_path.iterdir()) == [programs]


def test_data_that_is_not_what_it_was_is_not_used(tmp_path: Path, programs: Path) -> None:
    npm(programs, OTHER_DATA)
    assert "kor is not what it was" in bring(tmp_path / "data", programs).stderr
    assert list(tmp_path.iterdir()) == [programs]


def test_beside_the_better_data_lies_what_the_system_has_of_other_languages_and_scripts(
    tmp_path: Path, programs: Path
) -> None:
    npm(programs, OTHER_DATA)
    (programs / "sha256sum").unlink()
    (programs / "sha256sum").write_text("#!/bin/sh\ncat >/dev/null\n")
    (programs / "sha256sum").chmod(0o755)
    bring(tmp_path / "data", programs)
    brought = {path.name for path in (tmp_path / "data").iterdir()}
    assert (tmp_path / "data" / "kor.traineddata").read_text() == (tmp_path / "data" / "eng.traineddata").read_text()
    assert brought == {path.name for path in INSTALLED.glob("*.traineddata")} - {"osd.traineddata"}


def test_what_is_there_stays(tmp_path: Path, programs: Path) -> None:
    (tmp_path / "data").mkdir()
    npm(programs, "#!/bin/sh\nexit 1\n")
    bring(tmp_path / "data", programs)
    assert list((tmp_path / "data").iterdir()) == []
