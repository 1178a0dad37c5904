"""One run of Tesseract: the picture through its standard input, TSV and text through its output, no file at all.

Not pytesseract: the call of it that gives several outputs takes no options (segmentation, data, blanks), it writes the
picture and the answers to files that stay when the process is killed. That the child dies with its worker, and what it
may do, is the sandbox's business (`sandbox/programs.py`).
"""

import contextlib
import os
import subprocess
import time
from collections.abc import Sequence

from services.base.errors import Code, PapermeshError

PROGRAM = "tesseract"

ONE_COLUMN = 4
"""Page segmentation: one column of text of various sizes."""

ONE_BLOCK = 6
AUTOMATIC = 3


def run(picture: bytes, models: Sequence[str], data: str, *, dpi: int, segmentation: int, ends: float) -> str:
    """What Tesseract writes about a picture: its TSV, and after it its text.

    Args:
        picture: A file of a format that it knows.
        models: Names of trained data, the first counts most.
        data: The folder of these.
        dpi: Of the picture; letters are judged by it.
        segmentation: One of the above.
        ends: When it is killed, by `time.monotonic()`.

    Raises PapermeshError ENGINE_FAIL when it fails, with the reason "time" when it is not done by then.
    """
    command = [
        PROGRAM, "stdin", "stdout", "--tessdata-dir", data, "-l", "+".join(models),
        "--psm", str(segmentation), "--dpi", str(max(70, dpi)),
        # Without `preserve_interword_spaces` the script models put a blank after each syllable. The files that set the
        # others are not found in a data folder of one's own.
        "-c", "preserve_interword_spaces=1", "-c", "tessedit_create_tsv=1", "-c", "tessedit_create_txt=1",
    ]  # fmt: skip
    try:
        process = subprocess.Popen(  # noqa: S603  # our own command
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Its errors go where this process's go: in a worker nowhere. To open /dev/null, that would have to write.
            env={"OMP_THREAD_LIMIT": "1", "PATH": os.environ.get("PATH", os.defpath)},
        )
    except OSError as error:
        raise PapermeshError(Code.ENGINE_FAIL, f"Tesseract cannot be started: {error.strerror}.") from error
    try:
        # Whatever it writes is bounded by the memory that a worker may have.
        output, _ = process.communicate(picture, timeout=max(0.0, ends - time.monotonic()))
    except subprocess.TimeoutExpired as error:
        message = "Recognising the text of this page takes too long."
        raise PapermeshError(Code.ENGINE_FAIL, message, details={"reason": "time"}) from error
    finally:
        if process.poll() is None:
            _end(process)
    if process.returncode:
        raise PapermeshError(Code.ENGINE_FAIL, f"Tesseract ended with status {process.returncode}.")
    return output.decode("utf-8", "replace")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Kills it. A worker may send no signal: it ends itself once it has failed, and its programs end with it."""
    with contextlib.suppress(PermissionError):
        process.kill()
        process.communicate()
