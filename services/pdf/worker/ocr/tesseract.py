"""One run of Tesseract: the picture through its standard input, TSV and text through its output, no file at all.

Not pytesseract: the call of it that gives several outputs takes no options (segmentation, data, blanks), it writes the
picture and the answers to files that stay when the process is killed, and its child outlives a caller that dies.
"""

import os
import signal
import subprocess
import time
from collections.abc import Sequence

from services.base.errors import Code, PapermeshError
from services.pdf.worker.sandbox.syscalls import PR_SET_PDEATHSIG, prctl

PROGRAM = "/usr/bin/tesseract"
"""By its place, since a confined process has no PATH, and may execute nothing else."""

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

    Raises PapermeshError ENGINE_FAIL when it fails or is not done by then.
    """
    command = [
        PROGRAM, "stdin", "stdout", "--tessdata-dir", data, "-l", "+".join(models),
        "--psm", str(segmentation), "--dpi", str(max(70, dpi)),
        # Without `preserve_interword_spaces` the script models put a blank after each syllable. The files that set the
        # others are not found in a data folder of one's own.
        "-c", "preserve_interword_spaces=1", "-c", "tessedit_create_tsv=1", "-c", "tessedit_create_txt=1",
    ]  # fmt: skip
    parent = os.getpid()

    def die_with_worker() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    try:
        process = subprocess.Popen(  # noqa: S603  # our own command
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"OMP_THREAD_LIMIT": "1"},
            preexec_fn=die_with_worker,  # noqa: PLW1509  # a worker has one thread
            process_group=0,
        )
    except OSError as error:
        raise PapermeshError(Code.ENGINE_FAIL, f"Tesseract cannot be started: {error.strerror}.") from error
    with process:
        try:
            # Whatever it writes is bounded by the memory that a worker may have.
            output, _ = process.communicate(picture, timeout=max(0.0, ends - time.monotonic()))
        except subprocess.TimeoutExpired as error:
            raise PapermeshError(Code.ENGINE_FAIL, "Recognising the text of this page takes too long.") from error
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode:
        raise PapermeshError(Code.ENGINE_FAIL, f"Tesseract ended with status {process.returncode}.")
    return output.decode("utf-8", "replace")
