"""What becomes of text recognition by the settings and the machine."""

from pathlib import Path

import pytest

from services.base.names import MAX_ENGINE
from services.pdf import tesseract
from services.pdf.embedding.embedding import models_version
from services.pdf.engine_version import engine_version
from services.pdf.ocr_kind import ocr_kind
from tests.services.pdf.pictures import need_tesseract, settings

pytestmark = pytest.mark.usefixtures("there")


@pytest.fixture
def there() -> None:
    need_tesseract()


def test_it_has_the_machines_tesseract_and_the_service_is_ready_before_it() -> None:
    kind, found = ocr_kind(settings(pdf_ocr_workers=3))
    assert found is not None
    assert (kind.name, kind.size, kind.missing) == ("ocr", 3, "")
    assert not kind.starts_with_service
    assert kind.niceness > 0, "it gives way to questions about text"
    assert kind.reach is not None
    assert list(kind.reach.execute) == [found.program, found.interpreter]
    assert found.data in kind.reach.read
    assert not kind.without_landlock, "nothing else holds it to its files"


@pytest.mark.parametrize("allowed", [True, False])
def test_it_never_does_without_landlock(allowed: bool) -> None:  # noqa: FBT001
    kind, _ = ocr_kind(settings(pdf_without_landlock=allowed))
    assert not kind.without_landlock


def test_with_no_workers_it_is_off() -> None:
    kind, found = ocr_kind(settings(pdf_ocr_workers=0))
    assert found is None
    assert kind.missing == "Text recognition is switched off: PAPERMESH_PDF_OCR_WORKERS is 0."


def test_without_a_tesseract_the_service_starts_and_knows_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tesseract, "FOLDERS", ())
    kind, found = ocr_kind(settings())
    assert found is None
    assert not kind.starts_with_service
    assert "install tesseract-ocr, tesseract-ocr-kor" in kind.missing


def test_models_that_lack_a_language_are_named(tmp_path: Path) -> None:
    (tmp_path / "eng.traineddata").touch()
    kind, found = ocr_kind(settings(pdf_ocr_data=str(tmp_path)))
    assert found is None
    assert f"{tmp_path} has no model for kor; install" in kind.missing


def test_the_engines_version_tells_of_it_and_stays_short() -> None:
    _, found = ocr_kind(settings())
    assert found is not None
    assert len(f"{engine_version()}+tesseract-{found.version}+models-{models_version({}, None)}") <= MAX_ENGINE
