"""The meshes that the end-to-end tests share: real parts, started as `make up` starts them."""

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.support.adapter import Adapter
from tests.e2e.support.caller import Caller
from tests.e2e.support.deployment import RATES_OUT_OF_THE_WAY, SMALL_LIMIT, Deployment, deployed
from tests.e2e.support.grpcurl import Grpcurl
from tests.e2e.support.standins.deployed import Standins
from tests.e2e.support.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Shows the logs of the mesh that a failed test called: it is gone when somebody reads of the failure."""
    report = yield
    if report.failed:
        used: dict[str, Any] = getattr(item, "funcargs", {})
        meshes = {id(mesh): mesh for each in used.values() if (mesh := _mesh_of(each)) is not None}
        report.sections += [("the ends of the mesh's logs", mesh.last_words()) for mesh in meshes.values()]
    return report


def _mesh_of(fixture: object) -> Deployment | None:
    if isinstance(fixture, Standins):
        return fixture.mesh
    return fixture if isinstance(fixture, Deployment) else None


@pytest.fixture(scope="session")
def good_document() -> Path:
    """Three pages of text with which nothing is wrong."""
    return ROOT / "samples" / "leave-policy.pdf"


@pytest.fixture(scope="session")
def shared_mesh(good_document: Path) -> Iterator[Deployment]:
    with deployed(good_document, **RATES_OUT_OF_THE_WAY) as deployment:
        yield deployment


@pytest.fixture(scope="session")
def shared_modest_mesh(good_document: Path) -> Iterator[Deployment]:
    with deployed(good_document, PAPERMESH_MAX_DOCUMENT_BYTES=str(SMALL_LIMIT)) as deployment:
        yield deployment


@pytest.fixture
def mesh(shared_mesh: Deployment) -> Iterator[Deployment]:
    """The mesh that most tests call. Whatever a test does to it, the next good call works, and no part met a bug."""
    yield shared_mesh
    shared_mesh.must_still_work()
    shared_mesh.must_have_met_no_bug()


@pytest.fixture
def modest_mesh(shared_modest_mesh: Deployment) -> Iterator[Deployment]:
    """A mesh with rates as they are, and a small limit on uploads."""
    yield shared_modest_mesh
    # Not at once: a test may have left a bucket empty.
    eventually(shared_modest_mesh.works, what="a good call")
    shared_modest_mesh.must_have_met_no_bug()


@pytest.fixture
def adapter(mesh: Deployment) -> Adapter:
    return mesh.adapter


@pytest.fixture
def operator(mesh: Deployment) -> Caller:
    """A client that signs its own calls, and may act for others."""
    return mesh.caller("operator")


@pytest.fixture
def reports(mesh: Deployment) -> Caller:
    """A client of the company's own, which acts for nobody else."""
    return mesh.caller("reports")


@pytest.fixture(scope="session")
def grpcurl(tmp_path_factory: pytest.TempPathFactory) -> Grpcurl:
    return Grpcurl.find(tmp_path_factory.mktemp("grpcurl"))
