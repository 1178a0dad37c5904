"""What an upload was told to be stored is stored: the power fails, on a real file system."""

import hashlib
import subprocess
import sys
from pathlib import Path

from tests.support.disks import Disk, needs_root

ROOT = Path(__file__).resolve().parents[3]


def kept_putting(store: Path, folder: Path, count: int) -> list[str]:
    """The digests of what a process said it had stored, one document after the other, until it was killed."""
    command = [sys.executable, "-m", "tests.support.blob_putter", store.as_uri(), str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        stored = [process.stdout.readline() for _ in range(count)]
        process.kill()
        stored += process.stdout.readlines()
    return [line.strip() for line in stored]


@needs_root
def test_what_was_stored_is_whole_after_a_kill_and_a_power_cut(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    with disk.mounted(tmp_path / "before") as before:
        stored = kept_putting(before / "var" / "blobs", tmp_path, 10)
        cut = disk.after_a_power_cut(tmp_path)
    with cut.mounted(tmp_path / "after") as after:
        blobs = {file.name: file.read_bytes() for file in (after / "var" / "blobs" / "uploads").glob("*/*")}
    named = {name: content for name, content in blobs.items() if "#" not in name}
    assert len(stored) >= 10
    assert set(stored) <= set(named)
    assert all(hashlib.sha256(content).hexdigest() == name for name, content in named.items()), "none is half there"
