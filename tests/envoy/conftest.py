from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.envoy.harness import Mesh, running_mesh


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short enough for a Unix socket, which pytest's own is not on every machine."""
    with TemporaryDirectory(prefix="papermesh-") as name:
        yield Path(name)


@pytest.fixture(scope="session")
def shared_mesh() -> Iterator[Mesh]:
    with TemporaryDirectory(prefix="papermesh-") as name, running_mesh(Path(name)) as mesh:
        yield mesh


@pytest.fixture
def mesh(shared_mesh: Mesh) -> Mesh:
    """One mesh for all tests that only call it; each sees its own calls."""
    shared_mesh.dispatch.calls.clear()
    shared_mesh.pdf.calls.clear()
    return shared_mesh
