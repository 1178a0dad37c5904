"""File systems of a test's own: one that has little room, and one whose power can be cut; and what is on them."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a file system")


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[None]:
    """Has `folder`, which exists, be on a disk of `size` bytes for as long as the block lasts."""
    _run("mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "papermesh-test", str(folder))
    try:
        yield
    finally:
        _run("umount", "--lazy", str(folder))


def fill(folder: Path) -> Path:
    """Takes all the room that a small disk has, and returns the file that has it."""
    file = folder / "filler"
    with file.open("wb", buffering=0) as filler:
        try:
            while filler.write(bytes(4096)):
                pass
        except OSError:
            return file


def files_in(folder: Path) -> list[Path]:
    """All files below a folder, whoever removes some of them meanwhile."""
    return sorted(Path(inside, name) for inside, _, names in os.walk(folder) for name in names)


class Disk:
    """A disk with a file system whose power can be cut: what was not written to it by then is lost."""

    def __init__(self, folder: Path, size: int = 48 * 1024 * 1024) -> None:
        """Makes one that is empty, in files of `folder`."""
        self._image = folder / "disk.img"
        self._image.touch()
        os.truncate(self._image, size)
        eager = "lazy_itable_init=0,lazy_journal_init=0"  # or the kernel would write to it in its own time
        _run("mkfs.ext4", "-q", "-J", "size=4", "-E", eager, str(self._image))

    @contextmanager
    def mounted(self, folder: Path) -> Iterator[Path]:
        """Mounts it at `folder`, which is made, for as long as the block lasts."""
        folder.mkdir()
        _run("mount", "-o", "loop", str(self._image), str(folder))
        try:
            yield folder
        finally:
            _run("umount", "--lazy", str(folder))

    def after_a_power_cut(self, folder: Path) -> "Disk":
        """The same disk as it would be had the power failed just now; the first one goes on as it is.

        The image holds what the file system has written to its disk. What it keeps in memory for later is not there.
        """
        other = object.__new__(Disk)
        other._image = folder / "after.img"
        _run("cp", "--sparse=always", str(self._image), str(other._image))
        return other


def _run(program: str, *arguments: str) -> None:
    found = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    assert found, f"{program} is not on the PATH"
    subprocess.run([found, *arguments], check=True, timeout=60)
