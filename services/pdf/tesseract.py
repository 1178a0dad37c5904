"""The Tesseract of this machine: what it is, what it needs, and its version, for results that it shapes.

The service runs it to ask these things, and never on a document.
"""

import hashlib
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PROGRAM = "tesseract"
FOLDERS = ("/usr/bin", "/usr/local/bin")
"""Where it is looked for unless a setting names it."""

INSTALL = "install tesseract-ocr, tesseract-ocr-kor and tesseract-ocr-script-hang"

_NO_LANGUAGES = ("osd", "equ")
"""Models that read nothing: of orientation, and of formulas."""

_SECONDS = 30
_ELF = b"\x7fELF"

# `ldd`'s lines: "libm.so.6 => /lib/libm.so.6 (0x…)" and, without a name before it, the interpreter.
_LIBRARY = re.compile(r"=> (/\S+) \(")
_INTERPRETER = re.compile(r"^\s*(/\S+) \(", re.MULTILINE)

_VERSION = re.compile(r"^tesseract v?(\S+)", re.MULTILINE)
_DATA = re.compile(r'languages in "(.+)" \(')


class TesseractMissing(Exception):  # noqa: N818  # a fact about the machine, with which the service starts all the same
    """There is none that could be used; the text, a sentence for callers, says what to do about it."""


@dataclass(frozen=True)
class Tesseract:
    """An installed Tesseract."""

    program: str
    """Its path, which ends in its name: workers find it on a PATH of its folder alone."""

    interpreter: str
    """The ELF interpreter that the kernel starts it with."""

    libraries: Sequence[str]
    """The files that this loads."""

    data: str
    """The folder of its models."""

    languages: Sequence[str]
    """What it reads, by the names of its models."""

    version: str
    """Differs whenever it may read a picture differently: its release, "5.3.0", and a digest of its models."""


def find_tesseract(program: str = "", data: str = "") -> Tesseract:
    """The Tesseract at `program`, or in one of `FOLDERS`, with the models in `data`, or its own.

    Raises TesseractMissing.
    """
    path = _find(program)
    if data and not Path(data).is_dir():
        raise TesseractMissing(f"Text recognition is not available: there is no folder {data}.")
    data = data and str(Path(data).absolute())
    try:
        with open(path, "rb") as file:  # noqa: PTH123  # as short as it gets
            if file.read(len(_ELF)) != _ELF:
                raise TesseractMissing(f"Text recognition needs Tesseract's program itself, and {path} is another.")
        loaded = _ask(path, {"LD_TRACE_LOADED_OBJECTS": "1"})  # the interpreter lists them and ends
        interpreter, libraries = _INTERPRETER.search(loaded), _LIBRARY.findall(loaded)
        release = _VERSION.search(_ask(path, {}, "--version"))
        models = _ask(path, {"TESSDATA_PREFIX": data} if data else {}, "--list-langs")
        folder = _DATA.search(models)
        digest = _digest(Path(folder[1])) if folder else ""
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError) as error:
        raise TesseractMissing(f"Text recognition is not available: {path} does not run ({error}).") from error
    if not (interpreter and release and folder):
        raise TesseractMissing(f"Text recognition is not available: {path} does not answer as Tesseract 5 does.")
    return Tesseract(
        program=path,
        interpreter=interpreter[1],
        libraries=libraries,
        data=str(Path(folder[1])),
        languages=[name for name in models.split("\n")[1:] if name and name not in _NO_LANGUAGES],
        version=f"{release[1]}-{digest}",
    )


def _find(program: str) -> str:
    if program:
        if Path(program).name != PROGRAM or not Path(program).is_absolute():
            raise TesseractMissing(f"Text recognition is not available: {program} is no path of a {PROGRAM}.")
        if not os.access(program, os.X_OK):
            raise TesseractMissing(f"Text recognition is not available: there is no program {program}.")
        return program
    for folder in FOLDERS:
        if os.access(path := f"{folder}/{PROGRAM}", os.X_OK):
            return path
    raise TesseractMissing(f"Text recognition is not available; {INSTALL}.")


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for model in sorted(folder.rglob("*.traineddata")):
        with model.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").digest()
        digest.update(model.relative_to(folder).as_posix().encode() + b"\0" + content)
    return digest.hexdigest()[:12]


def _ask(program: str, environment: Mapping[str, str], *arguments: str) -> str:
    ended = subprocess.run(  # noqa: S603  # the operator's own program
        [program, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,  # where older ones write their version
        check=True,
        timeout=_SECONDS,
    )
    return ended.stdout.decode()
