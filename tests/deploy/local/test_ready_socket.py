import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.ready_socket import ReadySocket
from services.base.starting import tell_ready


@pytest.fixture
def ready_socket(tmp_path: Path) -> Iterator[ReadySocket]:
    opened = ReadySocket(tmp_path / "ready.sock")
    opened.open()
    yield opened
    opened.close()


def test_what_our_parts_say_is_heard_and_remembered(ready_socket: ReadySocket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(ready_socket.path))
    assert not ready_socket.heard()

    tell_ready()

    assert ready_socket.heard()
    assert ready_socket.heard()


def test_other_words_of_the_convention_mean_nothing_here(ready_socket: ReadySocket) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as part:
        part.connect(str(ready_socket.path))
        part.send(b"STATUS=READY=1\nMAINPID=7")
        assert not ready_socket.heard()
        part.send(b"STATUS=working\nREADY=1")
        assert ready_socket.heard()


def test_a_process_of_before_is_not_heard_any_more(ready_socket: ReadySocket) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as before:
        before.connect(str(ready_socket.path))
        before.send(b"READY=1")
        ready_socket.open()
        with pytest.raises(ConnectionRefusedError):
            before.send(b"READY=1")
    assert not ready_socket.heard()


def test_nothing_is_left_of_a_closed_one(ready_socket: ReadySocket) -> None:
    ready_socket.close()
    assert not ready_socket.path.exists()
    assert not ready_socket.heard()
