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

_LIBC = ctypes.CDLL(None, use_errno=True)

_PICTURE = "own.pgm"

NAMES: list[str] = []
"""Of all probes."""

Probe = Callable[[str, dict[str, Any]], bytes]


def probe(view: Probe) -> Probe:
    """A probe that does nothing when it is warmed up: there is one zygote for all of them."""
    NAMES.append(view.__name__)

    @wraps(view)
    def run(folder: str, arguments: dict[str, Any]) -> bytes:
        return b"" if "warm_up" in arguments else view(folder, arguments)

    return run


def _attempt(action: Callable[[], object]) -> bytes:
    """The name of the error, "" when it worked."""
    try:
        action()
    except OSError as error:
        return orjson.dumps(errno.errorcode[error.errno or 0])
    return b'""'


@probe
def whereabouts(folder: str, _arguments: dict[str, Any]) -> bytes:
    """Who it is, and what it has."""
    return orjson.dumps({"pid": os.getpid(), "folder": folder, "environment": dict(os.environ), "cwd": str(Path.cwd())})


@probe
def touch_file(folder: str, arguments: dict[str, Any]) -> bytes:
    """Opens a file, by its path from the private folder."""
    return _attempt(lambda: os.close(os.open(Path(folder, arguments["path"]), arguments["flags"], 0o600)))


@probe
def change_folder(folder: str, arguments: dict[str, Any]) -> bytes:
    """Changes something in the private folder, or moves something out of it."""
    own = Path(folder, "own")
    own.write_bytes(b"x")
    return _attempt(
        {
            "folder": lambda: own.with_suffix(".folder").mkdir(),
            "link": lambda: own.with_suffix(".link").symlink_to("/etc/passwd"),
            "hard link": lambda: own.with_suffix(".hard").hardlink_to(own),
            "rename": lambda: own.rename(own.with_suffix(".new")),
            "mode": lambda: own.chmod(0o777),
            "remove": own.unlink,
        }[arguments["how"]]
    )


@probe
def execute(_folder: str, arguments: dict[str, Any]) -> bytes:
    """Starts a program through `subprocess`."""
    return _attempt(lambda: subprocess.run(arguments["command"], check=False, capture_output=True))


@probe
def execute_own(folder: str, _arguments: dict[str, Any]) -> bytes:
    """Writes a program, and starts it."""
    own = Path(folder, "own")
    descriptor = os.open(own, os.O_WRONLY | os.O_CREAT, 0o700)
    os.write(descriptor, b"#!/bin/sh\n")
    os.close(descriptor)
    return _attempt(lambda: subprocess.run([own], check=False))


@probe
def call(_folder: str, arguments: dict[str, Any]) -> bytes:
    """Makes any system call; the payload is the name of its error, "" when it worked."""
    values = [value.encode() if isinstance(value, str) else ctypes.c_long(value) for value in arguments["arguments"]]
    result = _LIBC.syscall(ctypes.c_long(arguments["number"]), *values)
    return orjson.dumps(errno.errorcode[ctypes.get_errno()] if result < 0 else "")


@probe
def answer_of_program(_folder: str, arguments: dict[str, Any]) -> bytes:
    """What the program says that it may execute."""
    ended = subprocess.run([*arguments["command"]], check=False, capture_output=True)
    return orjson.dumps({"status": ended.returncode, "output": ended.stdout.decode() + ended.stderr.decode()})


@probe
def leave_behind(folder: str, arguments: dict[str, Any]) -> bytes:
    """Starts Tesseract and returns, or waits; or forks itself, as nobody would who wants it to end."""
    picture = Path(folder, _PICTURE)
    picture.write_bytes(arguments[CONTENT])
    if arguments["how"] == "fork":
        child = os.fork()
        if child == 0:
            while True:
                time.sleep(0.1)
        return orjson.dumps(child)
    own = os.getpid if "a word" in arguments["how"] else None
    command = ["tesseract", picture, "out"]
    started = subprocess.Popen(command, stderr=subprocess.DEVNULL, preexec_fn=own)  # noqa: PLW1509  # one thread
    if arguments["how"] == "and wait":
        started.wait()
    return orjson.dumps(started.pid)


@probe
def grow(folder: str, arguments: dict[str, Any]) -> bytes:
    """Writes a file of so many bytes."""
    with Path(folder, "large").open("wb") as file:
        return _attempt(lambda: file.truncate(arguments["size"]))


@probe
def spin(_folder: str, _arguments: dict[str, Any]) -> bytes:
    while True:
        pass
