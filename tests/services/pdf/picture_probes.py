"""Views of content that try what one would whose worker a picture has taken over; they exist only here."""

import ctypes
import errno
import os
import subprocess
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import orjson

from services.pdf.processes.wire import CONTENT
from services.pdf.worker.ocr import tesseract

_LIBC = ctypes.CDLL(None, use_errno=True)

NAMES: list[str] = []
"""Of all probes."""

Probe = Callable[[dict[str, Any]], bytes]


def probe(view: Probe) -> Probe:
    """A probe that does nothing when it is warmed up: there is one zygote for all of them."""
    NAMES.append(view.__name__)

    @wraps(view)
    def run(arguments: dict[str, Any]) -> bytes:
        return b"" if "warm_up" in arguments else view(arguments)

    return run


def _attempt(action: Callable[[], object]) -> bytes:
    """The name of the error, "" when it worked."""
    try:
        action()
    except OSError as error:
        return orjson.dumps(errno.errorcode[error.errno or 0])
    return b'""'


@probe
def whereabouts(_arguments: dict[str, Any]) -> bytes:
    """Who it is, and what it has."""
    return orjson.dumps({"pid": os.getpid(), "environment": dict(os.environ), "cwd": str(Path.cwd())})


@probe
def touch_file(arguments: dict[str, Any]) -> bytes:
    """Opens a file."""
    return _attempt(lambda: os.close(os.open(arguments["path"], arguments["flags"], 0o600)))


@probe
def change(arguments: dict[str, Any]) -> bytes:
    """Makes something new at a path, or changes what is there."""
    path = Path(arguments["path"])
    return _attempt(
        {
            "file": path.touch,
            "folder": path.mkdir,
            "link": lambda: path.symlink_to("/etc/passwd"),
            "hard link": lambda: path.hardlink_to("/etc/passwd"),
            "pipe": lambda: os.mkfifo(path),
            "rename": lambda: path.rename(path.with_suffix(".new")),
            "mode": lambda: path.chmod(0o777),
            "times": lambda: os.utime(path),
            "cut": lambda: os.truncate(path, 0),
            "remove": path.unlink,
            "remove a folder": path.rmdir,
        }[arguments["how"]]
    )


@probe
def execute(arguments: dict[str, Any]) -> bytes:
    """Starts a program through `subprocess`."""
    return _attempt(lambda: subprocess.run(arguments["command"], check=False, capture_output=True))


@probe
def call(arguments: dict[str, Any]) -> bytes:
    """Makes any system call; the payload is the name of its error, "" when it worked."""
    values = [value.encode() if isinstance(value, str) else ctypes.c_long(value) for value in arguments["arguments"]]
    result = _LIBC.syscall(ctypes.c_long(arguments["number"]), *values)
    return orjson.dumps(errno.errorcode[ctypes.get_errno()] if result < 0 else "")


@probe
def answer_of_program(arguments: dict[str, Any]) -> bytes:
    """What the program says that it may execute."""
    ended = subprocess.run([*arguments["command"]], check=False, capture_output=True)
    return orjson.dumps({"status": ended.returncode, "output": ended.stdout.decode() + ended.stderr.decode()})


@probe
def leave_behind(arguments: dict[str, Any]) -> bytes:
    """Starts Tesseract and returns; or forks itself, as nobody would who wants it to end."""
    if arguments["how"] == "fork":
        child = os.fork()
        if child == 0:
            while True:
                time.sleep(0.1)
        return orjson.dumps(child)
    own = os.getpid if "a word" in arguments["how"] else None
    command = ["tesseract", "stdin", "stdout"]
    started = subprocess.Popen(command, stdin=subprocess.PIPE, preexec_fn=own)  # noqa: PLW1509  # one thread
    assert started.stdin is not None
    started.stdin.write(arguments[CONTENT])
    started.stdin.close()
    return orjson.dumps(started.pid)


@probe
def run_late(arguments: dict[str, Any]) -> bytes:
    """Runs Tesseract, which has no time to be done."""
    data = os.environ["TESSDATA_PREFIX"]
    ends = time.monotonic() + 1
    return tesseract.run(arguments[CONTENT], ["eng"], data, dpi=300, segmentation=3, ends=ends).encode()


@probe
def spin(_arguments: dict[str, Any]) -> bytes:
    while True:
        pass
