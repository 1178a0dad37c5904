import os
import stat
import threading
from pathlib import Path

import pytest

from services.base.private_file import replace_private


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


@pytest.fixture(params=[0, 0o077], ids=["open-umask", "strict-umask"], autouse=True)
def umask(request: pytest.FixtureRequest) -> object:
    before = os.umask(request.param)
    yield
    os.umask(before)


def test_a_new_file_is_its_owner_s_alone(tmp_path: Path) -> None:
    replace_private(tmp_path / "key.json", b"key")
    assert (tmp_path / "key.json").read_bytes() == b"key"
    assert mode(tmp_path / "key.json") == 0o600


@pytest.mark.parametrize(("before", "after"), [(0o640, 0o640), (0o600, 0o600), (0o644, 0o640), (0o660, 0o660)])
def test_a_file_keeps_the_rights_of_its_owner_and_group_and_nobody_else_s(
    tmp_path: Path, before: int, after: int
) -> None:
    file = tmp_path / "key.json"
    file.write_bytes(b"old")
    file.chmod(before)
    replace_private(file, b"new")
    assert (file.read_bytes(), mode(file)) == (b"new", after)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_a_file_keeps_its_owner_and_group(tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    file.write_bytes(b"old")
    os.chown(file, 12345, 54321)
    replace_private(file, b"new")
    assert (file.stat().st_uid, file.stat().st_gid) == (12345, 54321)


def test_the_file_behind_a_link_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_bytes(b"old")
    (tmp_path / "link.json").symlink_to("real.json")
    replace_private(tmp_path / "link.json", b"new")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "real.json").read_bytes() == b"new"


def test_what_an_earlier_attempt_left_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / ".key.json.new").write_bytes(b"half")
    replace_private(tmp_path / "key.json", b"key")
    assert [file.name for file in tmp_path.iterdir()] == ["key.json"]


def test_a_failure_names_the_file_and_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "key.json").mkdir()
    with pytest.raises(OSError, match="directory"):
        replace_private(tmp_path / "key.json", b"key")
    assert [file.name for file in tmp_path.iterdir()] == ["key.json"]


def test_nobody_reads_half_of_it(tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    contents = [bytes([letter]) * 100_000 for letter in b"abc"]
    replace_private(file, contents[0])
    done = threading.Event()

    def write() -> None:
        for number in range(60):
            replace_private(file, contents[number % 3])
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    seen = {file.read_bytes()}
    while not done.is_set():
        seen.add(file.read_bytes())
    thread.join()
    assert seen <= set(contents)
