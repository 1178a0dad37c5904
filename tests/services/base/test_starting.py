import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from services.base.errors import OperatorError
from services.base.settings import SettingsError
from services.base.starting import StartError, listen, make_folder, starting


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """Given back after each test."""
    before = os.umask(0o022)
    yield
    os.umask(before)


class OwnError(OperatorError):
    """One that the part itself knows."""


@pytest.mark.parametrize("error", [StartError("Mend it."), SettingsError("Mend it."), OwnError("Mend it.")])
def test_what_a_person_can_mend_is_said_and_ends_the_process(error: Exception) -> None:
    with pytest.raises(SystemExit) as caught, starting("dispatch"):
        raise error
    assert caught.value.code == "dispatch cannot start.\nMend it."


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as caught, starting("dispatch"):
        (tmp_path / "absent").read_bytes()
    assert caught.value.code == f"dispatch cannot start.\n{tmp_path / 'absent'}: No such file or directory."


def test_a_start_that_somebody_breaks_off_needs_no_words(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught, starting("dispatch"):
        raise KeyboardInterrupt
    assert caught.value.code == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("bug", [KeyError("x"), OSError("no file"), ValueError("no")])
def test_a_bug_keeps_its_traceback(bug: Exception) -> None:
    with pytest.raises(type(bug)), starting("dispatch"):
        raise bug


def test_files_are_their_owners_alone_even_in_a_folder_that_others_may_read(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with starting("dispatch"):
        (tmp_path / "file").touch()
        (tmp_path / "folder").mkdir()
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o700


def test_a_folder_is_made_once(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(PermissionError) as caught:
        make_folder(tmp_path)
    assert caught.value.filename == str(tmp_path)


def test_a_taken_port_is_named() -> None:
    with closing(listen("127.0.0.1", 0)) as first:
        port = first.getsockname()[1]
        with pytest.raises(StartError, match=rf"^Cannot listen on port {port} of 127\.0\.0\.1: another program"):
            listen("127.0.0.1", port)


def test_an_address_of_ipv6_is_one_too() -> None:
    with closing(listen("::1", 0)) as listener:
        assert listener.family is socket.AF_INET6
