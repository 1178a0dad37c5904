"""`make up` as a person has it: the command itself, with every real part."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from benchmarks.free_ports import free_ports
from deploy.local.ports import Ports
from deploy.local.processes import ProcessRecord
from deploy.local.stack import Stack
from deploy.local.up import USUAL_ROOT, _welcome
from deploy.workloads import SERVICES
from tests.deploy.local.conftest import wait_until

Eventually = Callable[[Callable[[], object]], None]

PAPERMESH = Path(sys.executable).with_name("papermesh")
RUNNING = "Ctrl-C stops it."
PARTS = ("redis-state", "redis-cache", "dispatch", "pdf", "envoy", "adapter")


class Terminal:
    """Runs the commands and keeps what they show."""

    def __init__(self, folder: Path) -> None:
        self.ports = free_ports()
        self.var = folder / "var"
        self.screen = folder / "screen"
        self.started: list[subprocess.Popen[bytes]] = []
        self.environment = {
            **os.environ,
            "PAPERMESH_VAR": str(self.var),
            "PAPERMESH_HTTP_PORT": str(self.ports.http),
            "PAPERMESH_EDGE_PORT": str(self.ports.edge),
            "PAPERMESH_MESH_PORT": str(self.ports.mesh),
            "PAPERMESH_DISPATCH_PORT": str(self.ports.dispatch),
            "PAPERMESH_PDF_PORT": str(self.ports.of(SERVICES[0])),
        }

    def start(self, command: str) -> subprocess.Popen[bytes]:
        with self.screen.open("wb") as screen:
            process = subprocess.Popen(
                [PAPERMESH, command],
                env=self.environment,
                stdout=screen,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def run(self, command: str) -> tuple[int, str]:
        done = subprocess.run(
            [PAPERMESH, command],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def shows(self, text: str) -> bool:
        return text in self.screen.read_text()

    def part(self, name: str) -> ProcessRecord | None:
        record = ProcessRecord.read(self.var / "run" / f"{name}.pid")
        return record if record and record.runs else None

    def ready(self) -> bool:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports.http}/readyz", timeout=10) as answer:
            return bool(answer.status == 200)


@contextmanager
def opened(folder: Path) -> Iterator[Terminal]:
    terminal = Terminal(folder)
    try:
        yield terminal
    finally:
        if terminal.started:
            terminal.run("down")
        for process in terminal.started:
            process.wait(60)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    with opened(tmp_path) as terminal:
        yield terminal


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A terminal in which Papermesh runs, until Ctrl-C."""
    with opened(tmp_path_factory.mktemp("running")) as terminal:
        terminal.environment["PAPERMESH_PDF_REPLICAS"] = "2"
        up = terminal.start("up")
        wait_until(lambda: terminal.shows(RUNNING) or up.poll() is not None)
        parts = [terminal.part(name) for name in (*PARTS, "pdf-2")]
        assert all(parts)
        yield terminal
        up.send_signal(signal.SIGINT)
        assert up.wait(60) == 0
        assert terminal.shows("Stopped.")
        assert not any(part.runs for part in parts if part)


def test_up_runs_everything_and_says_where(running: Terminal) -> None:
    assert running.shows(f"http://127.0.0.1:{running.ports.http}\n")
    assert running.shows(f"curl http://127.0.0.1:{running.ports.http}/actions")
    assert running.ready()
    assert all(running.part(name) for name in (*PARTS, "pdf-2"))
    status, said = running.run("up")
    assert status == 1
    assert f"Papermesh is already running, from {running.var} (process {running.started[0].pid})." in said


def test_a_part_that_dies_is_shown_and_runs_again(running: Terminal, eventually: Eventually) -> None:
    killed = running.part("dispatch")
    assert killed is not None

    os.kill(killed.pid, signal.SIGKILL)

    eventually(lambda: running.shows("dispatch was ended by SIGKILL"))
    eventually(lambda: running.shows("dispatch is running again."))
    again = running.part("dispatch")
    assert again is not None
    assert again.pid != killed.pid
    eventually(lambda: running.run("actions")[0] == 0)


def test_the_example_works_as_pasted_in_another_terminal(running: Terminal) -> None:
    lines = [
        line for line in running.screen.read_text().splitlines() if line.startswith(("  export ", "  .venv", "  /"))
    ]
    other = {name: value for name, value in os.environ.items() if not name.startswith("PAPERMESH_")}
    done = subprocess.run(  # noqa: S602 - the lines are for a shell
        "\n".join(lines), shell=True, env=other, capture_output=True, text=True, timeout=60, check=False
    )

    assert len(lines) == 2
    assert (done.returncode, "title" in done.stdout) == (0, True), done


def test_beyond_loopback_nothing_starts_before_it_is_known_who_calls(terminal: Terminal) -> None:
    terminal.environment["PAPERMESH_HTTP_HOST"] = "0.0.0.0"  # noqa: S104 - nothing listens there

    status, said = terminal.run("up")

    assert status == 1
    assert "PAPERMESH_HTTP_HOST is wrong: must be a loopback address, since PAPERMESH_AUTH is none" in said
    assert not any(terminal.part(name) for name in PARTS)


@pytest.mark.long
def test_with_keys_it_listens_where_it_is_told_to_and_answers_there(
    terminal: Terminal, eventually: Eventually, tmp_path: Path
) -> None:
    file = str(tmp_path / "api-keys.json")
    terminal.environment |= {"PAPERMESH_AUTH": "api-keys", "PAPERMESH_API_KEYS_FILE": file}
    added = subprocess.run(
        [PAPERMESH, "keys", "add", "ada"], env=terminal.environment, capture_output=True, text=True, check=True
    )
    everywhere = "0.0.0.0"  # noqa: S104 - which only a key allows: this is what is tested
    terminal.environment |= {"PAPERMESH_HTTP_HOST": everywhere, "PAPERMESH_TOKEN": added.stdout.strip()}
    up = terminal.start("up")
    eventually(lambda: terminal.shows(RUNNING) or up.poll() is not None)

    # Another address of loopback: one that is bound only where everything is.
    with closing(socket.create_connection(("127.0.0.2", terminal.ports.http))):
        pass
    assert terminal.shows(f"http://127.0.0.1:{terminal.ports.http}\n")
    status, said = terminal.run("actions")
    assert (status, "PDF_METADATA" in said) == (0, True), said
    assert terminal.run("down") == (0, "Stopped.\n")
    assert up.wait(60) == 0


def test_a_setting_that_nothing_reads_is_told_with_the_name_that_was_meant(terminal: Terminal) -> None:
    terminal.environment["PAPERMESH_LOG_LEVLE"] = "DEBUG"
    with closing(socket.create_server(("127.0.0.1", terminal.ports.edge))):  # so that it ends by itself
        _, said = terminal.run("up")

    assert "Nothing reads PAPERMESH_LOG_LEVLE. Did you mean PAPERMESH_LOG_LEVEL?\n" in said
    assert said.count("Nothing reads ") == 1


def test_nothing_is_exported_when_nothing_is_moved_and_paths_are_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _welcome(Stack(USUAL_ROOT), 1).count("export") == 0
    assert "\n  .venv/bin/papermesh invoke PDF_METADATA samples/leave-policy.pdf\n" in _welcome(Stack(USUAL_ROOT), 1)
    moved = _welcome(Stack(tmp_path / "a b", Ports(http=9010)), 1)
    assert f"\n  export PAPERMESH_VAR='{tmp_path}/a b' PAPERMESH_HTTP_PORT=9010\n" in moved
    elsewhere = _welcome(Stack(USUAL_ROOT, settings={"PAPERMESH_HTTP_HOST": "fd00::7"}), 1)
    assert "\n  export PAPERMESH_URL='http://[fd00::7]:9000'\n" in elsewhere
    monkeypatch.chdir(tmp_path)
    assert f"\n  {USUAL_ROOT.parent}/.venv/bin/papermesh invoke" in _welcome(Stack(USUAL_ROOT), 1)


def test_a_taken_port_is_named_before_anything_starts(terminal: Terminal) -> None:
    with closing(socket.create_server(("127.0.0.1", terminal.ports.edge))):
        status, said = terminal.run("up")

    assert status == 1
    assert f"Port {terminal.ports.edge} cannot be used" in said
    assert "PAPERMESH_EDGE_PORT=" in said
    assert not any(terminal.part(name) for name in PARTS)
