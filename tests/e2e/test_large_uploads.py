"""A document of a hundred megabytes passes, and nobody holds it in memory."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.support.deployment import Deployment
from tests.support.pdfs import pdf_bytes

SIZE = 100_000_000
PIECE = 250_000
MAY_GROW_KIB = 40 * 1024
PARTS = ("adapter", "dispatch", "envoy")


def peak_kib(pid: int) -> int:
    """The most memory that a process has had in RAM since `forget_peak`."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def forget_peak(pid: int) -> None:
    """Has the kernel take the present for the peak."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


@pytest.fixture(scope="module")
def piece() -> bytes:
    return pdf_bytes(PIECE)


def test_a_hundred_megabytes_pass_without_being_held_in_memory(mesh: Deployment, piece: bytes) -> None:
    def content() -> Iterator[bytes]:
        yield from (piece for _ in range(SIZE // PIECE))

    digest = hashlib.sha256()
    for each in content():
        digest.update(each)
    pids = {name: mesh.stack.part(name).pid or 0 for name in PARTS}
    mesh.must_still_work()
    for pid in pids.values():
        forget_peak(pid)
    before = {name: peak_kib(pid) for name, pid in pids.items()}

    answer = mesh.adapter.upload(content(), Content_Length=str(SIZE))

    assert answer.data == {"doc_ref": {"type": "UPLOAD", "sha256": digest.hexdigest()}, "size": SIZE}
    _must_have_grown_little("upload", pids, before)

    for pid in pids.values():
        forget_peak(pid)
    before = {name: peak_kib(pid) for name, pid in pids.items()}
    with mesh.adapter.http.stream("GET", f"/documents/{digest.hexdigest()}") as download:
        assert _digest(download) == digest.hexdigest()
    _must_have_grown_little("download", pids, before)


def _must_have_grown_little(what: str, pids: dict[str, int], before: dict[str, int]) -> None:
    grown = {name: peak_kib(pid) - before[name] for name, pid in pids.items()}
    print(f"{what} of 100 MB:", ", ".join(f"{name} +{kib / 1024:.1f} MiB" for name, kib in grown.items()))  # noqa: T201 - a figure
    assert max(grown.values()) < MAY_GROW_KIB, grown


def _digest(download: httpx.Response) -> str:
    digest = hashlib.sha256()
    for each in download.iter_bytes():
        digest.update(each)
    return digest.hexdigest()
