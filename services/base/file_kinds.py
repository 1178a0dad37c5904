"""Whether a file begins as a PDF does, and what else it is: said at its first bytes, with how to make a PDF of it."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from services.base.errors import PapermeshError, bad_arg

HEAD_BYTES = 1024
"""In so many of its first bytes a PDF says that it is one."""

_MARK = b"%PDF-"
_LONGEST_LINE = 255
"""Bytes of a line outside of streams (ISO 32000-1, 7.5.1); and the mark begins a comment, which ends with its line."""

_NAMED_BY = 64 * 1024
"""More of the file than that is not looked at to find its name."""

_CUT = (
    "This PDF has lost its line endings, and much of its content with them: `curl -d` strips them. Send it with"
    " `curl --data-binary @FILE`, or as a form with `curl -F file=@FILE`."
)

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_OFFICE = "Save it as PDF from its program, or run `soffice --headless --convert-to pdf FILE`."
_HANGUL = "Open it in Hangul and save it as PDF."
_PICTURE = "Run `img2pdf FILE -o FILE.pdf`."
_ARCHIVE = "Unpack it, and send the documents in it one by one, as PDF."


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of file that is no PDF."""

    name: str
    """For programs, in `details.kind`."""

    noun: str
    advice: str
    found: Callable[[bytes], object]
    """Whether these first bytes are of this kind."""


def _starts(*beginnings: bytes) -> Callable[[bytes], object]:
    return lambda head: head.startswith(beginnings)


def _matches(pattern: bytes) -> Callable[[bytes], object]:
    return re.compile(pattern, re.DOTALL | re.IGNORECASE).match


def _zip_with(name: bytes) -> Callable[[bytes], object]:
    """A ZIP archive that has a member whose name, or what it says in its first member, begins with this."""
    return re.compile(rb"(?=PK\x03\x04).*PK\x03\x04.{26}" + name, re.DOTALL).match


def _ole_with(*names: str) -> Callable[[bytes], object]:
    """A compound file of OLE that has one of these streams; its directory is not always among the first bytes."""
    written = [name.encode("utf-16-le") for name in names]
    return lambda head: head.startswith(_OLE) and any(each in head for each in written)


def _is_text(head: bytes) -> bool:
    """Whether it has no byte that only files of programs have."""
    return not re.search(rb"[\0-\x08\x0e-\x1a\x1c-\x1f]", head[:HEAD_BYTES])


_KINDS = (
    _Kind("hwpx", "a Hangul document (HWPX)", _HANGUL, _zip_with(rb"mimetypeapplication/hwp\+zip")),
    _Kind("docx", "a Word document (DOCX)", _OFFICE, _zip_with(b"word/")),
    _Kind("xlsx", "an Excel workbook (XLSX)", _OFFICE, _zip_with(b"xl/")),
    _Kind("pptx", "a PowerPoint presentation (PPTX)", _OFFICE, _zip_with(b"ppt/")),
    _Kind("office", "an Office document (DOCX, XLSX or PPTX)", _OFFICE, _zip_with(rb"\[Content_Types\]\.xml")),
    _Kind(
        "odf", "an OpenDocument file (ODT, ODS or ODP)", _OFFICE, _zip_with(rb"mimetypeapplication/vnd\.oasis\.opendoc")
    ),
    _Kind(
        "epub",
        "an e-book (EPUB)",
        "Convert it to PDF, with Calibre for instance.",
        _zip_with(b"mimetypeapplication/epub"),
    ),
    _Kind("zip", "a ZIP archive", _ARCHIVE, _starts(b"PK\x03\x04", b"PK\x05\x06")),
    _Kind("hwp", "a Hangul document (HWP)", _HANGUL, _ole_with("FileHeader", "HwpSummaryInformation")),
    _Kind("hwp", "a Hangul document (HWP)", _HANGUL, _starts(b"HWP Document File")),
    _Kind("encrypted", "an encrypted Office document", "Open it and save it as PDF.", _ole_with("EncryptedPackage")),
    _Kind("doc", "a Word document (DOC)", _OFFICE, _ole_with("WordDocument")),
    _Kind("xls", "an Excel workbook (XLS)", _OFFICE, _ole_with("Workbook")),
    _Kind("ppt", "a PowerPoint presentation (PPT)", _OFFICE, _ole_with("PowerPoint Document")),
    _Kind("ole", "a Hangul or an old Office document", "Save it as PDF in its program.", _starts(_OLE)),
    _Kind("png", "a picture (PNG)", _PICTURE, _starts(b"\x89PNG\r\n\x1a\n")),
    _Kind("jpeg", "a picture (JPEG)", _PICTURE, _starts(b"\xff\xd8\xff")),
    _Kind("tiff", "a picture (TIFF)", "Run `tiff2pdf FILE -o FILE.pdf`.", _starts(b"II*\0", b"MM\0*")),
    _Kind("gif", "a picture (GIF)", _PICTURE, _starts(b"GIF87a", b"GIF89a")),
    _Kind("webp", "a picture (WebP)", _PICTURE, _matches(rb"RIFF.{4}WEBP")),
    _Kind(
        "heic", "a picture (HEIC or AVIF)", "Save it as JPEG or PDF first.", _matches(rb".{4}ftyp(heic|heix|mif1|avif)")
    ),
    _Kind("bmp", "a picture (BMP)", _PICTURE, _matches(rb"BM.{4}\0\0\0\0")),
    _Kind("rtf", "an RTF document", _OFFICE, _starts(rb"{\rtf")),
    _Kind("postscript", "PostScript", "Run `ps2pdf FILE`.", _starts(b"%!PS", b"\xc5\xd0\xd3\xc6")),
    _Kind("gzip", "a gzip file", "Unpack it first.", _starts(b"\x1f\x8b")),
    _Kind("archive", "an archive", _ARCHIVE, _starts(b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07")),
    _Kind("urlencoded", "a PDF that curl has encoded", "Send it with `curl --data-binary @FILE`.", _starts(b"%25PDF-")),
    _Kind(
        "base64", "a PDF in Base64", "Decode it, and send the bytes themselves.", _matches(rb"(data:[^,]*,)?JVBERi0")
    ),
    _Kind(
        "html",
        "a web page",
        "Print it to PDF in a browser. If you meant to send a PDF, its link gave you a page, perhaps to log in.",
        _matches(rb"(\xef\xbb\xbf)?\s*(<!--.*?-->\s*)?<(!doctype html|html|head|body)\b"),
    ),
    _Kind("text", "plain text", "Print it to PDF, or run `soffice --headless --convert-to pdf FILE`.", _is_text),
)


class Beginning:
    """The first bytes of a file that comes in pieces, until they have proved to be those of a PDF."""

    def __init__(self) -> None:
        self._head = b""
        self._proved = False

    def feed(self, piece: bytes) -> None:
        """Looks at the next piece.

        Raises:
            PapermeshError: BAD_ARG as soon as so much has come that it can be no PDF.
        """
        if not self._proved:
            self._head += piece[:_NAMED_BY]
            if len(self._head) >= HEAD_BYTES:
                self.finish()

    def finish(self) -> None:
        """Says that nothing more comes.

        Raises:
            PapermeshError: BAD_ARG when it is no PDF.
        """
        if not self._proved:
            _check(self._head)
            self._proved, self._head = True, b""


def _check(head: bytes) -> None:
    first = head[:HEAD_BYTES]
    mark = first.find(_MARK)
    if mark < 0:
        raise _no_pdf(head)
    begun = first[mark:]
    if len(begun) > _LONGEST_LINE and not re.search(rb"[\r\n]", begun):
        raise bad_arg(_CUT, reason="cut")


def _no_pdf(head: bytes) -> PapermeshError:
    for kind in _KINDS:
        if kind.found(head):
            return bad_arg(f"This is {kind.noun}, not a PDF. {kind.advice}", reason="not_pdf", kind=kind.name)
    message = f'This is not a PDF: its first {HEAD_BYTES} bytes do not hold "%PDF-". Save it as PDF from its program.'
    return bad_arg(message, reason="not_pdf", kind="unknown")
