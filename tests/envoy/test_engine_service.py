"""Asking a service for its engine, through a running Envoy: all answer under one name, and x-service says which."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import grpc
import pytest

from envoy.topology import Address, Service
from tests.envoy.backend import Backend
from tests.envoy.harness import WORKLOADS, Mesh, running_mesh
from trust.certificates import ensure

GET_ENGINE = "/papermesh.engine.v1.EngineService/GetEngine"
PDF, GITLAB = "papermesh.pdf.v1.PdfService", "papermesh.gitlab.v1.GitlabService"


@dataclass
class TwoServices:
    """pdf, which dispatch may call, and gitlab, which the worker may."""

    mesh: Mesh

    def ask(self, by: str, *services: str) -> bytes:
        with self.mesh.channel(self.mesh.envoy.topology.mesh, by=by) as channel:
            metadata = tuple(("x-service", service) for service in services)
            answer: bytes = channel.unary_unary(GET_ENGINE)(b"", metadata=metadata, timeout=10)
            return answer

    def refusal(self, by: str, *services: str) -> grpc.StatusCode:
        with pytest.raises(grpc.RpcError) as error:
            self.ask(by, *services)
        return error.value.code()


@pytest.fixture(scope="module")
def two_services() -> Iterator[TwoServices]:
    with TemporaryDirectory(prefix="papermesh-") as name:
        certs = Path(name) / "certs"
        ensure(certs, "default", WORKLOADS)
        with (
            Backend(certs / "pdf", lambda _: b"pdf").running() as pdf,
            Backend(certs / "gitlab", lambda _: b"gitlab").running() as gitlab,
        ):
            services = (
                Service("pdf", (PDF,), (Address("127.0.0.1", pdf.port),)),
                Service("gitlab", (GITLAB,), (Address("127.0.0.1", gitlab.port),), ("worker",)),
            )
            with running_mesh(Path(name), services=services) as mesh:
                yield TwoServices(mesh)


def test_each_service_is_asked_by_its_callers(two_services: TwoServices) -> None:
    assert two_services.ask("dispatch", PDF) == b"pdf"
    assert two_services.ask("worker", GITLAB) == b"gitlab"


def test_who_may_not_call_a_service_may_not_ask_for_its_engine(two_services: TwoServices) -> None:
    assert two_services.refusal("worker", PDF) is grpc.StatusCode.PERMISSION_DENIED
    assert two_services.refusal("dispatch", GITLAB) is grpc.StatusCode.PERMISSION_DENIED
    assert two_services.refusal("adapter", PDF) is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize("services", [(PDF, GITLAB), (GITLAB, PDF), (f"{PDF},{GITLAB}",)])
def test_a_second_name_opens_no_other_service(two_services: TwoServices, services: tuple[str, ...]) -> None:
    for caller in ("dispatch", "worker"):
        assert two_services.refusal(caller, *services) in (
            grpc.StatusCode.PERMISSION_DENIED,
            grpc.StatusCode.UNIMPLEMENTED,
        )


@pytest.mark.parametrize("services", [(), ("",), ("acme.Unknown",), (PDF.lower(),)])
def test_a_service_that_is_not_deployed_has_no_engine(two_services: TwoServices, services: tuple[str, ...]) -> None:
    assert two_services.refusal("dispatch", *services) is grpc.StatusCode.UNIMPLEMENTED


def test_the_edge_has_no_engines(two_services: TwoServices) -> None:
    with two_services.mesh.channel(two_services.mesh.envoy.topology.edge) as channel:
        with pytest.raises(grpc.RpcError) as error:
            channel.unary_unary(GET_ENGINE)(b"", metadata=(("x-service", PDF),), timeout=10)
        assert error.value.code() is grpc.StatusCode.UNIMPLEMENTED
