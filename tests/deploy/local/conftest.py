import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from deploy.local.part import Command, Part
from deploy.local.ready_socket import ReadySocket

Eventually = Callable[[Callable[[], object]], None]
MakePart = Callable[..., Part]


def wait_until(condition: Callable[[], object]) -> None:
    """Waits until it holds, a minute at most: a busy machine takes its time to start a mesh."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


@pytest.fixture
def eventually() -> Eventually:
    """Waits until a condition holds."""
    return wait_until


@pytest.fixture
def make_part(tmp_path: Path) -> Iterator[MakePart]:
    """Makes parts that run a few lines of Python, and are ready when they have made the file `ready` or said so."""
    made: list[Part] = []

    def make(
        script: str,
        name: str = "standin",
        *,
        listener: socket.socket | None = None,
        ready_socket: ReadySocket | None = None,
        drain: Callable[[float], None] | None = None,
        **settings: str,
    ) -> Part:
        for folder in (tmp_path / "run", tmp_path / "log"):
            folder.mkdir(exist_ok=True)
        ready = tmp_path / f"{name}.ready"
        lines = f"import os, signal, sys, time, pathlib\nready = pathlib.Path({str(ready)!r})\n{script}"
        is_ready = ready_socket.heard if ready_socket else ready.exists
        command = Command(
            name,
            (sys.executable, "-c", lines),
            is_ready,
            settings,
            listener=listener,
            ready_socket=ready_socket,
            drain=drain,
        )
        part = Part(command, tmp_path / "run", tmp_path / "log")
        made.append(part)
        return part

    yield make
    for part in made:
        part.stop(grace_s=0)


@pytest.fixture
def run_script() -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    """Runs a few lines of Python in a process of its own."""
    started: list[subprocess.Popen[bytes]] = []

    def run(script: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-c", script], start_new_session=True)
        started.append(process)
        return process

    yield run
    for process in started:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        process.wait()
