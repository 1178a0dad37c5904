"""deploy/local/setup.sh on a machine that lacks what Papermesh needs: a folder with few programs is the PATH."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

PRESENT = ("cat", "dirname", "getconf", "id", "uname")
RISC_V = "#!/bin/sh\ncase $1 in -m) echo riscv64 ;; *) echo Linux ;; esac\n"


class Machine:
    """A clone, and the programs that are there besides."""

    def __init__(self, folder: Path) -> None:
        self.clone, self.programs = folder / "clone", folder / "bin"
        self.script = self.clone / "deploy" / "local" / "setup.sh"
        self.script.parent.mkdir(parents=True)
        shutil.copy(ROOT / "deploy" / "local" / "setup.sh", self.script)
        self.programs.mkdir()
        for name in PRESENT:
            (self.programs / name).symlink_to(str(shutil.which(name)))

    def has(self, name: str, script: str) -> None:
        (self.programs / name).unlink(missing_ok=True)
        (self.programs / name).write_text(script)
        (self.programs / name).chmod(0o755)

    def set_up(self, profile: str) -> "subprocess.CompletedProcess[str]":
        command = ["/bin/sh", str(self.script), profile]
        environment = {"PATH": str(self.programs)}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    def lacks(self, profile: str) -> dict[str, str]:
        """What it is told that it lacks, each with the command that brings it, before anything is installed."""
        done = self.set_up(profile)
        assert done.returncode == 1
        assert list(self.clone.iterdir()) == [self.clone / "deploy"]
        lines = done.stderr.partition("\n\n")[2].splitlines()
        return {what.strip(): command.strip() for what, command in zip(lines[::2], lines[1::2], strict=True)}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_all_that_is_missing_is_listed_at_once_each_with_what_brings_it(machine: Machine) -> None:
    assert machine.lacks("all") == {
        "Python 3.11 or newer": "sudo apt install python3 python3-venv, or name yours: make … PYTHON=/path/to/python3",
        "Go 1.24 or newer, which builds helm and grpcurl": "https://go.dev/dl has it, or put both on the PATH",
    }


def test_a_laptop_without_tesseract_is_told_what_to_install_and_lacks_nothing_for_it(machine: Machine) -> None:
    told = "To read them: sudo apt install tesseract-ocr tesseract-ocr-kor tesseract-ocr-script-hang"
    assert told in machine.set_up("laptop").stdout
    assert "Tesseract" not in " ".join(machine.lacks("laptop"))
    machine.has("tesseract", "#!/bin/sh\n")
    assert "Scans" not in machine.set_up("laptop").stdout


def test_what_only_other_commands_need_is_not_asked_for(machine: Machine) -> None:
    assert [*machine.lacks("laptop")] == [*machine.lacks("dev")] == ["Python 3.11 or newer"]
    assert {*machine.lacks("bench")} - {"nginx"} == {
        "Python 3.11 or newer",
        "redis-server",
        "wrk",
    }  # nginx is found off the PATH too


def test_servers_are_missing_where_no_wheel_fits_and_none_is_on_the_path(machine: Machine) -> None:
    machine.has("uname", RISC_V)
    assert [*machine.lacks("laptop")] == ["Python 3.11 or newer", "Redis or Valkey", "Envoy 1.40 or newer"]
    machine.has("valkey-server", "#!/bin/sh\n")
    machine.has("envoy", "#!/bin/sh\n")
    assert [*machine.lacks("laptop")] == ["Python 3.11 or newer"]


def test_a_python_without_pip_is_told_the_package_that_has_it(machine: Machine) -> None:
    machine.has(
        "python3",
        '#!/bin/sh\ncase "$2" in *version_info\\ \\<*) ;; *print*) echo python3.13-venv ;; *) exit 1 ;; esac\n',
    )
    assert machine.lacks("laptop") == {"pip for python3": "sudo apt install python3.13-venv"}


def test_a_profile_that_is_none_is_refused(machine: Machine) -> None:
    done = machine.set_up("lap")
    assert (done.returncode, done.stderr.strip()) == (
        1,
        "Not a profile: lap. The profiles are laptop, dev, all and bench.",
    )
