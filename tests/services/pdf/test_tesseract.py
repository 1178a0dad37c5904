"""Looking for Tesseract: what the machine has, and what one that cannot be used makes of it."""

import re
import shutil
from pathlib import Path

import pytest

from services.pdf import tesseract as module
from services.pdf.tesseract import TesseractMissing, find_tesseract
from tests.services.pdf.pictures import need_tesseract

pytestmark = pytest.mark.usefixtures("there")


@pytest.fixture
def there() -> None:
    need_tesseract()


def test_it_is_found_with_all_that_it_loads() -> None:
    found = find_tesseract()
    assert found.program in {f"{folder}/tesseract" for folder in module.FOLDERS}
    assert {"kor", "eng"} <= set(found.languages)
    assert "osd" not in found.languages, "it reads no text"
    assert Path(found.data, "kor.traineddata").is_file()
    assert Path(found.interpreter).is_file()
    assert any("libtesseract" in path for path in found.libraries)
    assert all(Path(path).is_file() for path in found.libraries)
    assert re.fullmatch(r"\d[\w.-]*-[0-9a-f]{12}", found.version)


def test_its_version_changes_with_its_models_alone(tmp_path: Path) -> None:
    models = shutil.copytree(find_tesseract().data, tmp_path / "models")
    versions = [find_tesseract(data=str(models)).version]
    (models / "notes.txt").write_text("no model", "ascii")
    versions.append(find_tesseract(data=str(models)).version)
    (models / "kor.traineddata").rename(models / "old.traineddata")
    versions.append(find_tesseract(data=str(models)).version)
    with (models / "eng.traineddata").open("ab") as model:
        model.write(b"x")
    versions.append(find_tesseract(data=str(models)).version)
    assert versions[0] == versions[1] == find_tesseract().version
    assert len(set(versions)) == 3
    assert len({version.rpartition("-")[0] for version in versions}) == 1


def test_without_any_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FOLDERS", ("/no/such/folder",))
    with pytest.raises(TesseractMissing) as missing:
        find_tesseract()
    assert str(missing.value) == (
        "Text recognition is not available; install tesseract-ocr, tesseract-ocr-kor and tesseract-ocr-script-hang."
    )


def test_one_that_is_named_is_the_one(tmp_path: Path) -> None:
    named = tmp_path / "tesseract"
    named.symlink_to(find_tesseract().program)
    assert find_tesseract(str(named)).program == str(named)


@pytest.mark.parametrize("content", [None, b"#!/bin/sh\necho tesseract 5.0\n", b"\x7fELF" + bytes(200), b""])
def test_a_path_to_something_else_is_said_in_one_sentence(tmp_path: Path, content: bytes | None) -> None:
    named = tmp_path / "tesseract"
    if content is not None:
        named.write_bytes(content)
        named.chmod(0o755)
    with pytest.raises(TesseractMissing) as missing:
        find_tesseract(str(named))
    assert str(named) in str(missing.value)
    assert "\n" not in str(missing.value)


@pytest.mark.parametrize("program", ["tesseract", "/usr/bin/env"])
def test_a_setting_that_is_no_path_of_a_tesseract_is_said(program: str) -> None:
    with pytest.raises(TesseractMissing, match=f"{program} is no path of a tesseract"):
        find_tesseract(program)


def test_a_folder_without_models_has_none(tmp_path: Path) -> None:
    assert find_tesseract(data=str(tmp_path)).languages == []


def test_a_folder_may_be_named_from_where_the_service_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    assert find_tesseract(data="models").data == str(tmp_path / "models")


def test_a_folder_that_is_not_there_is_said_and_not_replaced_by_another(tmp_path: Path) -> None:
    with pytest.raises(TesseractMissing, match=r"absent"):
        find_tesseract(data=str(tmp_path / "absent"))
