import json
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from deploy.local.part import Command, Part, PartError, StoppedError
from deploy.local.processes import ProcessRecord
from deploy.local.ready_socket import ReadySocket
from services.base.starting import listen

Eventually = Callable[[Callable[[], object]], None]
MakePart = Callable[..., Part]

SERVES = "ready.touch(); time.sleep(600)"


def test_a_part_runs_until_it_is_stopped(make_part: MakePart) -> None:
    part = make_part(SERVES)

    part.start()
    part.wait_until_ready()
    assert part.running

    part.stop()
    assert not part.running
    assert part.returncode == -signal.SIGTERM


def test_the_pid_file_names_the_process_while_it_runs_and_is_gone_afterwards(
    make_part: MakePart, tmp_path: Path
) -> None:
    part = make_part(SERVES)
    part.start()

    record = ProcessRecord.read(tmp_path / "run" / "standin.pid")
    assert record is not None
    assert record.pid == part.pid
    assert record.runs

    part.stop()
    assert not record.runs
    assert not (tmp_path / "run" / "standin.pid").exists()


def test_a_part_that_dies_early_is_reported_with_the_end_of_its_log(make_part: MakePart) -> None:
    part = make_part("print('the port is taken'); sys.exit(3)")
    part.start()

    with pytest.raises(PartError, match=r"standin ended with status 3 before it was ready[\s\S]*the port is taken"):
        part.wait_until_ready()


def test_a_part_that_never_answers_is_reported_with_the_end_of_its_log(
    make_part: MakePart, eventually: Eventually
) -> None:
    part = make_part("print('still loading', flush=True); time.sleep(600)")
    part.start()
    eventually(lambda: "still loading" in part.log.read_text())

    with pytest.raises(PartError, match=r"did not answer within 0.1 seconds[\s\S]*still loading"):
        part.wait_until_ready(timeout_s=0.1)


def test_waiting_ends_when_somebody_asks_to_stop(make_part: MakePart) -> None:
    part = make_part("time.sleep(600)")
    part.start()
    stopping = threading.Event()
    stopping.set()

    with pytest.raises(StoppedError):
        part.wait_until_ready(stopping=stopping)


def test_a_part_that_ignores_the_request_to_end_is_killed(make_part: MakePart) -> None:
    part = make_part("signal.signal(signal.SIGTERM, signal.SIG_IGN); ready.touch(); time.sleep(600)")
    part.start()
    part.wait_until_ready()

    part.stop(grace_s=0.1)

    assert part.returncode == -signal.SIGKILL


def test_a_stopped_process_sees_the_request_to_end(make_part: MakePart) -> None:
    part = make_part(SERVES)
    part.start()
    part.wait_until_ready()
    part.kill(signal.SIGSTOP)

    part.stop()

    assert part.returncode == -signal.SIGTERM


def test_children_of_a_part_do_not_outlive_it(make_part: MakePart, tmp_path: Path, eventually: Eventually) -> None:
    child_file = tmp_path / "child"
    part = make_part(
        "child = os.fork()\n"
        "if child == 0: signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)\n"
        f"pathlib.Path({str(child_file)!r}).write_text(str(child)); ready.touch(); time.sleep(600)"
    )
    part.start()
    part.wait_until_ready()
    child = ProcessRecord.of("child", int(child_file.read_text()))
    assert child.runs

    part.stop()

    eventually(lambda: not child.runs)


def test_a_killed_part_can_be_started_again_and_its_log_goes_on(make_part: MakePart) -> None:
    part = make_part("print('hello from', os.getpid(), flush=True); ready.touch(); time.sleep(600)")
    part.start()
    part.wait_until_ready()
    first = part.pid

    part.kill()
    assert not part.running
    assert part.wanted

    (part.log.parents[1] / "standin.ready").unlink()
    part.start()
    part.wait_until_ready()
    assert part.pid != first
    assert part.log.read_text().count("hello from") == 2


def test_the_log_of_the_run_before_is_kept_beside_the_new_one(
    make_part: MakePart, tmp_path: Path, eventually: Eventually
) -> None:
    def run(words: str) -> None:
        part = make_part(f"print({words!r}, flush=True); ready.touch(); time.sleep(600)")
        part.start()
        eventually(lambda: words in part.log.read_text())
        part.stop()

    run("the first run")
    run("the second run")

    assert "the second run" in (tmp_path / "log" / "standin.log").read_text()
    assert "the first run" in (tmp_path / "log" / "standin.log.old").read_text()


def test_a_part_sees_its_settings_and_nothing_else_of_the_environment(
    make_part: MakePart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of the person who starts it")
    monkeypatch.setenv("PAPERMESH_LOG_LEVEL", "of the shell")
    seen = tmp_path / "seen.json"
    part = make_part(
        f"import json; pathlib.Path({str(seen)!r}).write_text(json.dumps(dict(os.environ))); ready.touch()\n"
        "time.sleep(600)",
        PAPERMESH_PDF_PORT="9102",
    )
    part.start()
    part.wait_until_ready()

    environment = json.loads(seen.read_text())
    assert environment["PAPERMESH_PDF_PORT"] == "9102"
    # LC_CTYPE is Python's own doing, where no locale is set.
    assert set(environment) - {"LC_CTYPE"} <= {"PATH", "HOME", "LANG", "TMPDIR", "PAPERMESH_PDF_PORT"}


def test_a_log_is_readable_by_its_owner_only(make_part: MakePart) -> None:
    part = make_part(SERVES)
    part.start()

    assert part.log.stat().st_mode & 0o777 == 0o600


def test_a_program_that_does_not_exist_is_named(tmp_path: Path) -> None:
    part = Part(Command("engine", ("/no/such/program",), lambda: True), tmp_path, tmp_path)

    with pytest.raises(PartError, match=r"engine cannot be started.*no/such/program"):
        part.start()
    assert not list(tmp_path.glob("*.pid"))


def test_a_part_is_handed_its_socket_and_says_itself_that_it_is_ready(make_part: MakePart, tmp_path: Path) -> None:
    listener = listen("127.0.0.1", 0)
    ready_socket = ReadySocket(tmp_path / "ready.sock")
    script = (
        "from mcp_adapter.http.socket_activation import handed_over\n"
        "from services.base.starting import tell_ready\n"
        f"server = handed_over('127.0.0.1', {listener.getsockname()[1]})\n"
        "tell_ready()\n"
        "while True: connection, _ = server.accept(); connection.sendall(str(os.getpid()).encode()); connection.close()"
    )
    part = make_part(script, listener=listener, ready_socket=ready_socket)

    def answer() -> str:
        with closing(socket.create_connection(listener.getsockname(), timeout=20)) as caller:
            return caller.recv(100).decode()

    with closing(listener):
        part.start()
        part.wait_until_ready()
        assert answer() == str(part.pid)
        part.kill()
        assert ready_socket.heard(), "until it is started again"
        with closing(socket.create_connection(listener.getsockname(), timeout=20)) as waiting:
            part.start()
            assert waiting.recv(100).decode() == str(part.pid), "a caller waits for the part that comes"
        part.stop()
    assert not ready_socket.path.exists()


def test_what_makes_callers_leave_is_done_while_the_part_still_runs(make_part: MakePart) -> None:
    seen: list[tuple[float, bool]] = []
    part = make_part(SERVES, drain=lambda seconds: seen.append((seconds, part.running)))
    part.start()
    part.wait_until_ready()

    part.stop(grace_s=7)
    part.stop(grace_s=7)
    assert seen == [(7, True)], "nothing is asked of what has ended"
    part.start()
    part.stop(grace_s=0)
    assert seen == [(7, True)], "nobody waits for anything"


def test_several_parts_are_asked_together_and_then_waited_for(make_part: MakePart) -> None:
    script = "signal.signal(signal.SIGINT, lambda *_: sys.exit(7)); ready.touch()\nwhile True: time.sleep(600)"
    parts = [make_part(script, name) for name in ("one", "other")]
    for part in parts:
        part.start()
        part.wait_until_ready()

    for part in parts:
        part.ask_to_end(number=signal.SIGINT)
    for part in parts:
        part.end()

    assert [(part.returncode, part.wanted) for part in parts] == [(7, False), (7, False)]
