from pathlib import Path

import pytest

from services.base.private_file import read_private


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o440])
def test_a_file_of_its_owner_and_group_is_read(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "key.json"
    file.write_bytes(b"key")
    file.chmod(mode)
    assert read_private(file) == b"key"


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o666])
def test_a_file_that_everybody_can_read_is_not(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "key.json"
    file.write_bytes(b"key")
    file.chmod(mode)
    with pytest.raises(PermissionError) as caught:
        read_private(file)
    assert caught.value.strerror == f"everybody on this machine can read it; run chmod o= {file}"


def test_the_file_behind_a_link_is_what_counts(tmp_path: Path) -> None:
    """As the kubelet mounts a Secret: the link's own mode is 0777."""
    file = tmp_path / "..data"
    file.write_bytes(b"key")
    file.chmod(0o640)
    (tmp_path / "key.json").symlink_to(file)
    assert read_private(tmp_path / "key.json") == b"key"
