"""Views that try what a hostile document would; they exist only here, and no operation of the service names them."""

import ctypes
import errno
import fcntl
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from typing import Any

import orjson

from services.pdf.processes.wire import CONTENT, LENGTHS, SOCKET, pack
from services.pdf.worker.documents import Document
from services.pdf.worker.sandbox.profiles import PROFILES

_LIBC = ctypes.CDLL(None, use_errno=True)

NARROW = "narrow"
"""A profile that only the tests' made-up kind of worker has: that of text without one call."""

NOT_IN_NARROW = "sched_yield"

PROFILES[NARROW] = {name: checks for name, checks in PROFILES["text"].items() if name != NOT_IN_NARROW}

NAMES: list[str] = []
"""Of all probes."""

Probe = Callable[[Document, dict[str, Any]], bytes]


def probe(view: Probe) -> Probe:
    """A probe that does nothing when it is warmed up: there is one zygote for all of them."""
    NAMES.append(view.__name__)

    @wraps(view)
    def run(document: Document, arguments: dict[str, Any]) -> bytes:
        return b"" if "warm_up" in arguments else view(document, arguments)

    return run


@probe
def syscall(_document: Document, arguments: dict[str, Any]) -> bytes:
    """Makes any system call; the payload is the name of its error, "" when it worked."""
    values = [value.encode() if isinstance(value, str) else ctypes.c_long(value) for value in arguments["arguments"]]
    result = _LIBC.syscall(ctypes.c_long(arguments["number"]), *values)
    return orjson.dumps(errno.errorcode[ctypes.get_errno()] if result < 0 else "")


@probe
def count(document: Document, _arguments: dict[str, Any]) -> bytes:
    """How many pages the document has, as any view could tell."""
    return orjson.dumps({"pages": document.page_count})


@probe
def read_file(_document: Document, arguments: dict[str, Any]) -> bytes:
    """Opens a file; the payload is the name of the error, "" when it worked."""
    try:
        os.close(os.open(arguments["path"], arguments["flags"]))
    except OSError as error:
        return orjson.dumps(errno.errorcode[error.errno or 0])
    return b'""'


@probe
def inventory(_document: Document, _arguments: dict[str, Any]) -> bytes:
    """What the process holds."""
    descriptors = {}
    for descriptor in range(256):
        try:
            fcntl.fcntl(descriptor, fcntl.F_GETFD)
        except OSError:
            continue
        descriptors[str(descriptor)] = _kind(descriptor)
    held = {"pid": os.getpid(), "environment": dict(os.environ), "descriptors": descriptors}
    return orjson.dumps(held | {"isolated": sys.flags.isolated})


def _kind(descriptor: int) -> str:
    """What a descriptor is, as far as one can tell who may not ask the kernel."""
    try:
        end = os.lseek(descriptor, 0, os.SEEK_END)
    except OSError as error:
        return "socket" if error.errno == errno.ESPIPE else errno.errorcode[error.errno or 0]
    if end == 0:
        return "null"
    return "document" if os.pread(descriptor, 5, 0) == b"%PDF-" else "other"


@probe
def raise_limit(_document: Document, arguments: dict[str, Any]) -> bytes:
    """Asks for memory or time without end; the payload is the name of the error, "" when it worked."""
    which = getattr(resource, arguments["limit"])
    try:
        resource.setrlimit(which, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except (OSError, ValueError) as error:
        return orjson.dumps(str(error))
    return b'""'


@probe
def ignore_and_spin(_document: Document, arguments: dict[str, Any]) -> bytes:
    signal.signal(getattr(signal, arguments["signal"]), signal.SIG_IGN)
    while True:
        pass


@probe
def spin(_document: Document, _arguments: dict[str, Any]) -> bytes:
    while True:
        pass


@probe
def compute(_document: Document, arguments: dict[str, Any]) -> bytes:
    while time.process_time() < arguments["seconds_of_cpu"]:
        pass
    return b"null"


@probe
def nap(_document: Document, arguments: dict[str, Any]) -> bytes:
    time.sleep(arguments["pause"])
    return b"null"


@probe
def devour(_document: Document, _arguments: dict[str, Any]) -> bytes:
    hoard = []
    while True:
        hoard.append(bytearray(16 << 20))


@probe
def crash(_document: Document, _arguments: dict[str, Any]) -> bytes:
    ctypes.string_at(0)
    raise AssertionError


@probe
def blunder(_document: Document, _arguments: dict[str, Any]) -> bytes:
    raise ValueError("words of the document")


@probe
def babble(_document: Document, arguments: dict[str, Any]) -> bytes:
    """Writes bytes that are no answer."""
    os.write(SOCKET, bytes.fromhex(arguments["hex"]))
    while True:
        pass


@probe
def announce(_document: Document, arguments: dict[str, Any]) -> bytes:
    """Announces an answer of any length."""
    os.write(SOCKET, LENGTHS.pack(2, arguments["length"]) + b"{}")
    while True:
        pass


@probe
def forge(_document: Document, arguments: dict[str, Any]) -> bytes:
    """Answers with any header."""
    os.write(SOCKET, pack(arguments["header"], b"null"))
    while True:
        pass


@probe
def answer_and_end(_document: Document, _arguments: dict[str, Any]) -> bytes:
    os.write(SOCKET, pack({}, b"null"))
    os._exit(0)


@probe
def fill(_document: Document, arguments: dict[str, Any]) -> bytes:
    return b"x" * arguments["length"]


@probe
def weigh(_document: Document, arguments: dict[str, Any]) -> bytes:
    """The digest of the bytes that came beside the arguments, and how many other arguments there were."""
    content = arguments.get(CONTENT, b"")
    return orjson.dumps({"sha256": sha256(content).hexdigest(), "others": sorted(arguments.keys() - {CONTENT})})
