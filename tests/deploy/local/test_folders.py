import socket
from contextlib import closing
from pathlib import Path

import pytest

from deploy.local.folders import FolderError, Folders


def test_folders_are_for_their_owner_only(tmp_path: Path) -> None:
    folders = Folders(tmp_path / "var")
    folders.make()

    assert {folder.stat().st_mode & 0o777 for folder in (folders.root, *folders.root.iterdir())} == {0o700}


def test_a_folder_that_others_can_write_is_refused(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var").chmod(0o775)

    with pytest.raises(FolderError, match="chmod go-w"):
        Folders(tmp_path / "var").make()


def test_sockets_are_beside_the_pid_files_where_their_paths_are_short() -> None:
    folders = Folders(Path("/srv/papermesh/var"))

    assert folders.sockets == folders.run


def test_sockets_move_to_a_short_folder_where_their_paths_would_be_too_long(tmp_path: Path) -> None:
    folders = Folders(tmp_path / ("deep" * 30) / "var")
    folders.make()

    path = folders.sockets / "redis-state.sock"
    assert folders.sockets != folders.run
    assert folders.sockets.stat().st_mode & 0o777 == 0o700
    with closing(socket.socket(socket.AF_UNIX)) as bound:
        bound.bind(str(path))
        assert (folders.run / "redis-state.sock").is_socket()  # where the command line looks

    folders.remove_sockets()
    assert not folders.sockets.exists()
    assert list(folders.run.iterdir()) == []


def test_two_deployments_with_long_paths_have_sockets_of_their_own(tmp_path: Path) -> None:
    one, other = (Folders(tmp_path / ("deep" * 30) / name) for name in ("one", "other"))

    assert one.sockets != other.sockets


def test_a_short_folder_that_others_can_enter_is_refused(tmp_path: Path) -> None:
    folders = Folders(tmp_path / ("deep" * 30) / "var")
    folders.sockets.mkdir(mode=0o777)
    try:
        folders.sockets.chmod(0o777)
        with pytest.raises(FolderError, match="does not belong to you alone"):
            folders.make()
    finally:
        folders.sockets.rmdir()


def test_a_short_folder_that_is_a_link_elsewhere_is_refused(tmp_path: Path) -> None:
    folders = Folders(tmp_path / ("deep" * 30) / "var")
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folders.sockets.symlink_to(tmp_path / "elsewhere")
    try:
        with pytest.raises(FolderError, match="does not belong to you alone"):
            folders.make()
    finally:
        folders.sockets.unlink()


def test_a_file_where_the_folder_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("")

    with pytest.raises(FolderError, match="var cannot be made"):
        Folders(tmp_path / "var").make()
