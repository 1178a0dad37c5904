"""The worker of the tests: the real one, and operations that try what a hostile document would.

It exists only here; the service starts `services.pdf.worker`, whose table has none of these.
"""

import ctypes
import errno
import fcntl
import os
import resource
import signal
import sys
import time
from typing import Any

import orjson

from services.pdf.processes.wire import ANSWER, SOCKET
from services.pdf.worker.documents import Document
from services.pdf.worker.operations import OPERATIONS, Outcome
from services.pdf.worker.zygote import main

_LIBC = ctypes.CDLL(None, use_errno=True)


def syscall(_document: Document, arguments: dict[str, Any]) -> Outcome:
    """Makes any system call; the payload is the name of its error, "" when it worked."""
    values = [value.encode() if isinstance(value, str) else ctypes.c_long(value) for value in arguments["arguments"]]
    result = _LIBC.syscall(ctypes.c_long(arguments["number"]), *values)
    return Outcome(orjson.dumps(errno.errorcode[ctypes.get_errno()] if result < 0 else ""))


def read_file(_document: Document, arguments: dict[str, Any]) -> Outcome:
    """Opens a file; the payload is the name of the error, "" when it worked."""
    try:
        os.close(os.open(arguments["path"], arguments["flags"]))
    except OSError as error:
        return Outcome(orjson.dumps(errno.errorcode[error.errno or 0]))
    return Outcome(b'""')


def inventory(_document: Document, _arguments: dict[str, Any]) -> Outcome:
    """What the process holds."""
    descriptors = {}
    for descriptor in range(256):
        try:
            fcntl.fcntl(descriptor, fcntl.F_GETFD)
        except OSError:
            continue
        descriptors[str(descriptor)] = _kind(descriptor)
    return Outcome(orjson.dumps({"pid": os.getpid(), "environment": dict(os.environ), "descriptors": descriptors}))


def _kind(descriptor: int) -> str:
    """What a descriptor is, as far as one can tell who may not ask the kernel."""
    try:
        end = os.lseek(descriptor, 0, os.SEEK_END)
    except OSError as error:
        return "socket" if error.errno == errno.ESPIPE else errno.errorcode[error.errno or 0]
    if end == 0:
        return "null"
    return "document" if os.pread(descriptor, 5, 0) == b"%PDF-" else "other"


def raise_limit(_document: Document, arguments: dict[str, Any]) -> Outcome:
    """Asks for memory or time without end; the payload is the name of the error, "" when it worked."""
    which = getattr(resource, arguments["limit"])
    try:
        resource.setrlimit(which, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except (OSError, ValueError) as error:
        return Outcome(orjson.dumps(str(error)))
    return Outcome(b'""')


def ignore_and_spin(_document: Document, arguments: dict[str, Any]) -> Outcome:
    signal.signal(getattr(signal, arguments["signal"]), signal.SIG_IGN)
    while True:
        pass


def spin(_document: Document, _arguments: dict[str, Any]) -> Outcome:
    while True:
        pass


def compute(_document: Document, arguments: dict[str, Any]) -> Outcome:
    while time.process_time() < arguments["seconds_of_cpu"]:
        pass
    return Outcome(b"null")


def nap(_document: Document, arguments: dict[str, Any]) -> Outcome:
    time.sleep(arguments["pause"])
    return Outcome(b"null")


def devour(_document: Document, _arguments: dict[str, Any]) -> Outcome:
    hoard = []
    while True:
        hoard.append(bytearray(16 << 20))


def crash(_document: Document, _arguments: dict[str, Any]) -> Outcome:
    ctypes.string_at(0)
    raise AssertionError


def blunder(_document: Document, _arguments: dict[str, Any]) -> Outcome:
    raise ValueError("words of the document")


def babble(_document: Document, arguments: dict[str, Any]) -> Outcome:
    """Writes bytes that are no answer."""
    os.write(SOCKET, bytes.fromhex(arguments["hex"]))
    while True:
        pass


def announce(_document: Document, arguments: dict[str, Any]) -> Outcome:
    """Announces an answer of any length."""
    os.write(SOCKET, ANSWER.pack(2, arguments["length"]) + b"{}")
    while True:
        pass


def forge(_document: Document, arguments: dict[str, Any]) -> Outcome:
    return Outcome(b"null", arguments["header"])


def fill(_document: Document, arguments: dict[str, Any]) -> Outcome:
    return Outcome(b"x" * arguments["length"])


PROBES = {
    probe.__name__: probe
    for probe in (
        syscall, read_file, inventory, raise_limit, ignore_and_spin, spin, compute, nap, devour, crash, blunder, babble,
        announce, forge, fill,
    )
}  # fmt: skip

if __name__ == "__main__":
    main({**OPERATIONS, **PROBES}, sys.argv)
