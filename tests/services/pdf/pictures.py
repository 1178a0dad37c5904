"""Pictures to recognise the text of, and what recognises it here."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from services.pdf import ocr_kind as service
from services.pdf.processes.kinds import Kind, View
from services.pdf.settings import PdfSettings
from services.pdf.worker.mupdf import pymupdf
from tests.services.pdf import picture_probes
from tests.support.programs import needed

PROBES = {
    name: View(f"{picture_probes.__name__}:{name}", content=True, warm_up={"warm_up": True})
    for name in picture_probes.NAMES
}


def settings(**changed: Any) -> PdfSettings:
    """The service's, with what a test changes of them."""
    needed: Mapping[str, Any] = {"tls_dir": Path("/"), "blobs_url": "file:///blobs", "work_dir": Path("/work")}
    return PdfSettings.model_construct(**{**needed, "pdf_ocr_workers": 1, **changed})


def need_tesseract() -> None:
    """Skips a test where there is none."""
    needed("tesseract", "tesseract-ocr tesseract-ocr-kor tesseract-ocr-script-hang")


def ocr_kind(**changed: Any) -> Kind:
    """The service's kind of worker, with the Tesseract of this machine; skips a test where there is none."""
    need_tesseract()
    kind, _ = service.ocr_kind(settings(**changed))
    assert not kind.missing
    return kind


def picture(*lines: str, dpi: int = 150) -> bytes:
    """A page with lines of text, in grey."""
    with pymupdf.open() as document:
        page = document.new_page()
        for number, line in enumerate(lines):
            page.insert_text((40, 60 + 12 * number), line, fontsize=11)
        made: bytes = page.get_pixmap(dpi=dpi, colorspace=pymupdf.csGRAY).tobytes("pgm")
        return made


def long_picture() -> bytes:
    """One that takes seconds."""
    return picture(*["The quick brown fox jumps over the lazy dog; 0123456789 times."] * 60, dpi=300)


def programs() -> list[psutil.Process]:
    """The Tesseracts that work for this test."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if process.name() == "tesseract":
                found.append(process)
    return found


def have_ended(processes: Iterable[psutil.Process]) -> bool:
    """Whether they have, even if nobody has reaped them yet."""
    return not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in processes)
