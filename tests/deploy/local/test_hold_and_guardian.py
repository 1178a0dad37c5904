import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local.down import down
from deploy.local.guardian import end_leftovers
from deploy.local.hold import HeldError, Hold
from deploy.local.processes import ProcessRecord

Eventually = Callable[[Callable[[], object]], None]
RunScript = Callable[[str], subprocess.Popen[bytes]]
Supervised = tuple[subprocess.Popen[bytes], ProcessRecord]

SUPERVISOR = """
import pathlib, signal, sys, threading
from deploy.local.folders import Folders
from deploy.local.guardian import Guardian
from deploy.local.hold import Hold
from deploy.local.part import Command, Part

folders = Folders(pathlib.Path({root!r}))
folders.make()
ending = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: ending.set())
hold = Hold(folders.run)
hold.take()
guardian = Guardian(folders.run)
engine = Command("engine", (sys.executable, "-c", "import time; time.sleep(600)"), lambda: True)
part = Part(engine, folders.run, folders.log)
part.start()
(folders.root / "guardian").write_text(str(guardian._process.pid))
ending.wait()
part.stop()
guardian.dismiss()
hold.release()
"""


@pytest.fixture
def supervisor(
    tmp_path: Path,
    run_script: RunScript,
    eventually: Eventually,
) -> Iterator[Supervised]:
    """A supervisor with one part, and the part's record."""
    process = run_script(SUPERVISOR.format(root=str(tmp_path)))
    eventually(lambda: (tmp_path / "guardian").exists() or process.poll() is not None)
    part = ProcessRecord.read(tmp_path / "run" / "engine.pid")
    assert part is not None
    assert part.runs
    yield process, part
    part.kill_group()


def test_a_supervisor_that_ends_while_it_is_asked_about_still_holds_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = iter([ProcessRecord.of("supervisor", os.getpid()), None])
    monkeypatch.setattr(ProcessRecord, "read", lambda _file: next(seen, None))
    first, second = Hold(tmp_path), Hold(tmp_path)
    first.take()

    with pytest.raises(HeldError, match="already running"):
        second.take()

    first.release()


def test_a_killed_supervisor_takes_its_parts_with_it(supervisor: Supervised, eventually: Eventually) -> None:
    process, part = supervisor

    process.kill()

    eventually(lambda: not part.runs)


def test_down_ends_the_supervisor_and_its_parts(
    supervisor: Supervised, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    process, part = supervisor

    assert down(tmp_path) == 0

    assert process.wait(10) == 0
    assert not part.runs
    assert capsys.readouterr().out == "Stopped.\n"
    assert list((tmp_path / "run").glob("*.pid")) == []


def test_down_ends_what_is_left_when_nobody_else_did(
    supervisor: Supervised, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    process, part = supervisor
    os.kill(int((tmp_path / "guardian").read_text()), signal.SIGKILL)
    process.kill()
    process.wait()
    assert part.runs

    assert down(tmp_path) == 0

    assert not part.runs
    assert "Ended what was left running: engine." in capsys.readouterr().out


@pytest.mark.parametrize("folder", ["run", "log"])
def test_down_says_so_when_nothing_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str], folder: str) -> None:
    (tmp_path / folder).mkdir()

    assert down(tmp_path) == 0
    assert capsys.readouterr().out == "Nothing is running.\n"


def test_a_second_supervisor_is_told_who_holds_the_folder(supervisor: Supervised, tmp_path: Path) -> None:
    process, _ = supervisor

    with pytest.raises(HeldError, match=rf"is already running, from .* \(process {process.pid}\)"):
        Hold(tmp_path / "run").take()


def test_a_folder_is_free_again_when_its_supervisor_is_gone(supervisor: Supervised, tmp_path: Path) -> None:
    process, _ = supervisor
    process.kill()
    process.wait()

    hold = Hold(tmp_path / "run")
    hold.take()
    hold.release()


def test_a_process_that_was_given_an_old_pid_is_left_alone(tmp_path: Path, run_script: RunScript) -> None:
    bystander = run_script("import time; time.sleep(600)")
    (tmp_path / "engine.pid").write_text(f'{{"name": "engine", "pid": {bystander.pid}, "started": "another time"}}')

    assert end_leftovers(tmp_path, grace_s=0) == []

    assert bystander.poll() is None
    assert not (tmp_path / "engine.pid").exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"name": "engine"}'])
def test_a_broken_pid_file_is_no_obstacle(tmp_path: Path, content: str) -> None:
    (tmp_path / "engine.pid").write_text(content)

    assert end_leftovers(tmp_path, grace_s=0) == []
    assert not (tmp_path / "engine.pid").exists()


def test_a_process_is_not_mistaken_for_one_that_has_ended() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    record = ProcessRecord.of("short", process.pid)
    assert record.runs

    process.communicate(b"\n")

    assert not record.runs
