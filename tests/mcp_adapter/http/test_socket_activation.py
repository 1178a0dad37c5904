import os
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from services.base.starting import listen, tell_ready

TAKES = """
import os, sys
from mcp_adapter.http.socket_activation import handed_over
from services.base.starting import StartError
try:
    taken = handed_over("localhost", int(sys.argv[1]))
except StartError as error:
    sys.exit(str(error))
if taken is None:
    sys.exit("nothing was handed over")
assert not taken.get_inheritable() and "LISTEN_FDS" not in os.environ and "LISTEN_PID" not in os.environ
connection, _ = taken.accept()
connection.sendall(b"served")
"""


def take(handed: socket.socket | None, port: int, fds: str = "1", pid: str = "str(os.getpid())") -> str:
    """What a process says that is started with this in hand, and looks for a socket on this port."""
    prepare = f"import os, sys; os.environ |= dict(LISTEN_FDS={fds!r}, LISTEN_PID={pid}); "
    place = "" if handed is None else f"os.dup2({handed.fileno()}, 3); "
    run = "os.execv(sys.executable, [sys.executable, '-c', sys.argv[1], sys.argv[2]])"
    ended = subprocess.run(
        [sys.executable, "-c", prepare + place + run, TAKES, str(port)],
        pass_fds=() if handed is None else (handed.fileno(),),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended.stderr


class TestASocketThatWasHandedOver:
    def test_is_served_by_whoever_has_it_and_its_connections_wait_until_then(self) -> None:
        with closing(listen("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            with closing(socket.create_connection(("127.0.0.1", port))) as caller:
                assert take(listener, port) == ""
                assert caller.recv(100) == b"served"

    def test_of_another_port_is_refused(self) -> None:
        with closing(listen("127.0.0.1", 0)) as listener, closing(listen("127.0.0.1", 0)) as other:
            assert "is not a socket that listens on port" in take(listener, other.getsockname()[1])

    def test_of_every_address_is_refused_where_loopback_was_asked_for(self) -> None:
        with closing(listen("0.0.0.0", 0)) as listener:  # noqa: S104 - this is what is refused
            assert "is not a socket that listens on port" in take(listener, listener.getsockname()[1])

    def test_that_does_not_listen_is_refused(self) -> None:
        with closing(socket.socket()) as bound:
            bound.bind(("127.0.0.1", 0))
            assert "is not a socket that listens on port" in take(bound, bound.getsockname()[1])

    def test_that_is_none_is_refused(self, tmp_path: Path) -> None:
        with (tmp_path / "file").open("wb") as file:
            assert "is not a socket that listens on port 9" in take(file, 9)  # type: ignore[arg-type]  # a file has a descriptor too

    @pytest.mark.parametrize("fds", ["0", "2", "", "one"])
    def test_must_be_the_only_one(self, fds: str) -> None:
        with closing(listen("127.0.0.1", 0)) as listener:
            assert (
                take(listener, listener.getsockname()[1], fds)
                == "LISTEN_FDS must be 1: hand over exactly one socket.\n"
            )

    def test_to_another_process_is_not_taken(self) -> None:
        with closing(listen("127.0.0.1", 0)) as listener:
            said = take(listener, listener.getsockname()[1], pid=repr(str(os.getpid())))
            assert said == "nothing was handed over\n"


class TestReadiness:
    def test_is_told_where_somebody_asked_for_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as asked:
            asked.bind(str(tmp_path / "notify"))
            monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
            tell_ready()
            assert asked.recv(100) == b"READY=1"

    def test_is_told_under_an_abstract_name_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        name = f"papermesh-test-{os.getpid()}"
        with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as asked:
            asked.bind(f"\0{name}")
            monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
            tell_ready()
            assert asked.recv(100) == b"READY=1"

    def test_is_told_to_nobody_where_nobody_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
        tell_ready()

    def test_that_nobody_hears_is_no_secret(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "absent"))
        with pytest.raises(FileNotFoundError):
            tell_ready()
