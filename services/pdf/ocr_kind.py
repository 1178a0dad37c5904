"""Text recognition as a kind of worker: what the machine has for it, and how much of it may run."""

from pathlib import Path

from services.pdf.processes.kinds import OCR, ONE_THREAD, Kind, Reach
from services.pdf.processes.limits import Limits
from services.pdf.settings import PdfSettings
from services.pdf.tesseract import INSTALL, Tesseract, TesseractMissing, find_tesseract

_LANGUAGES = ("kor", "eng")
"""The models that it does not do without."""

_LOADER_FILES = [path for path in ("/etc/ld.so.cache",) if Path(path).exists()]

_NICENESS = 10
"""A page takes seconds, other questions milliseconds: who waits for a page waits a little longer. Linux gives such a
process a tenth of what it gives others, and all that they leave."""


def ocr_kind(settings: PdfSettings) -> tuple[Kind, Tesseract | None]:
    """The kind of worker that recognises text, without which the service is ready, and the Tesseract that it runs.

    None where it is switched off or cannot work; `Kind.missing` then says why.
    """
    try:
        tesseract = _usable(settings)
    except TesseractMissing as missing:
        return Kind(name=OCR, missing=str(missing)), None
    size = settings.pdf_ocr_workers
    kind = Kind(
        name=OCR,
        profile="ocr",
        size=size,
        limits=Limits(memory_bytes=settings.pdf_worker_memory_bytes, kept=size),
        niceness=_NICENESS,
        on_first_use=True,
        reach=Reach(
            execute=(tesseract.program, tesseract.interpreter),
            read=(*tesseract.libraries, *_LOADER_FILES, tesseract.data),
            profile="tesseract",
        ),
        environment={
            "PATH": str(Path(tesseract.program).parent),
            "TESSDATA_PREFIX": tesseract.data,
            **ONE_THREAD,
        },
    )
    return kind, tesseract


def _usable(settings: PdfSettings) -> Tesseract:
    if not settings.pdf_ocr_workers:
        raise TesseractMissing("Text recognition is switched off: PAPERMESH_PDF_OCR_WORKERS is 0.")
    tesseract = find_tesseract(settings.pdf_tesseract, settings.pdf_ocr_data)
    if lacking := [name for name in _LANGUAGES if name not in tesseract.languages]:
        message = (
            f"Text recognition is not available: {tesseract.data} has no model for {', '.join(lacking)}; {INSTALL}."
        )
        raise TesseractMissing(message)
    return tesseract
