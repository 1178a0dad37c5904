"""The table of gRPC codes in docs/envoy.md, row by row, on a running Envoy."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import grpc
import pytest

from envoy.topology import Address, Service
from tests.envoy.backend import Backend, Call, echo
from tests.envoy.harness import GET_DOCUMENT, INVOKE, WORKLOADS, Mesh, eventually, running_mesh
from trust.certificates import ensure

PAGE = Path(__file__).parents[2] / "docs" / "envoy.md"

READ = "/papermesh.gitlab.v1.GitlabService/GetGuideRun"
SIDE_EFFECT = "/papermesh.gitlab.v1.GitlabService/RunGuide"

TEXT = "as the test says"
NO_HOST = "envoy: UH"
IN_A_ROW = 4  # one more than put a host out


@dataclass(frozen=True)
class Row:
    """What the page says of one code; its columns in their order."""

    code: str
    read_retried_on_mesh: str
    side_effect_retried_on_mesh: str
    retried_at_edge: str
    ejects_on_mesh: str
    ejects_in_trailers: str
    ejects_at_edge: str
    caller_sees: str


def table() -> list[Row]:
    """The rows that begin with the name of a code and have the table's number of columns."""
    rows = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if cells[0] in grpc.StatusCode.__members__ and len(cells) == len(Row.__dataclass_fields__):
            rows.append(Row(*cells))
    return rows


@dataclass
class Watched:
    """A cluster of one host, that fails as it is told."""

    mesh: Mesh
    backend: Backend
    cluster: str
    listener: Address
    caller: str
    ejections_before: int = 0

    def fail_with(self, code: grpc.StatusCode) -> None:
        self.ejections_before = self._ejections()

        def abort(call: Call) -> bytes:
            call.context.abort(code, TEXT)

        def abort_in_trailers(call: Call) -> Iterator[bytes]:
            yield b"a part"
            call.context.abort(code, TEXT)

        self.backend.behaviour = abort
        self.backend.streams[GET_DOCUMENT] = abort_in_trailers

    def call(self, path: str) -> tuple[grpc.RpcError, int]:
        """The error that a call ends with, and how often the backend was tried."""
        before = len(self.backend.calls)
        with self.mesh.channel(self.listener, by=self.caller) as channel, pytest.raises(grpc.RpcError) as error:
            # A unary answer is a stream of one message.
            list(channel.unary_stream(path)(b"", timeout=10))
        return error.value, len(self.backend.calls) - before

    def ejects(self, path: str) -> str:
        """Whether calls that fail in a row put the host out, these or those before."""
        for _ in range(IN_A_ROW):
            self.call(path)
        return "yes" if self._ejections() > self.ejections_before else "no"

    def heal(self, path: str) -> None:
        """Lets it succeed again, and waits until Envoy has taken it back."""
        self.backend.behaviour = echo
        eventually(lambda: self.mesh.envoy.counter(f"cluster.{self.cluster}.outlier_detection.ejections_active") == 0)
        with self.mesh.channel(self.listener, by=self.caller) as channel:
            assert channel.unary_unary(path)(b"healed", timeout=10) == b"healed"

    def _ejections(self) -> int:
        return self.mesh.envoy.counter(f"cluster.{self.cluster}.outlier_detection.ejections_enforced_total")


@dataclass
class Clusters:
    """One at the edge, and on the mesh one of unary methods and one of streams."""

    edge: Watched
    mesh: Watched
    streaming: Watched


@pytest.fixture(scope="module")
def clusters() -> Iterator[Clusters]:
    with TemporaryDirectory(prefix="papermesh-") as name:
        certs = Path(name) / "certs"
        ensure(certs, "default", WORKLOADS)
        with Backend(certs / "gitlab").running() as gitlab, Backend(certs / "pdf").running() as streaming:
            services = (
                Service("gitlab", ("papermesh.gitlab.v1.GitlabService",), (Address("127.0.0.1", gitlab.port),)),
                # No service on the mesh streams so far, so one of dispatch's methods stands in.
                Service("pdf", ("papermesh.dispatch.v1.DispatchService",), (Address("127.0.0.1", streaming.port),)),
            )
            with running_mesh(Path(name), services=services) as mesh:
                edge, inside = mesh.envoy.topology.edge, mesh.envoy.topology.mesh
                yield Clusters(
                    Watched(mesh, mesh.dispatch, "dispatch", edge, "adapter"),
                    Watched(mesh, gitlab, "gitlab", inside, "dispatch"),
                    Watched(mesh, streaming, "pdf", inside, "dispatch"),
                )


def test_every_code_but_ok_has_a_row_of_its_own() -> None:
    codes = [row.code for row in table()]
    assert sorted(codes) == sorted(code.name for code in grpc.StatusCode if code is not grpc.StatusCode.OK)


@pytest.mark.parametrize("row", table(), ids=lambda row: row.code)
def test_envoy_does_what_the_row_says(clusters: Clusters, row: Row) -> None:
    for each in (clusters.edge, clusters.mesh, clusters.streaming):
        each.fail_with(grpc.StatusCode[row.code])

    def tried_again(cluster: Watched, path: str) -> str:
        error, tries = cluster.call(path)
        if error.details() != NO_HOST:
            assert error.code().name == row.caller_sees
        else:
            assert tries > 1, "only tries of its own put the host out"
        return "yes" if tries > 1 else "no"

    seen = Row(
        code=row.code,
        # The side effect first: a read that is tried again puts the host out.
        side_effect_retried_on_mesh=tried_again(clusters.mesh, SIDE_EFFECT),
        read_retried_on_mesh=tried_again(clusters.mesh, READ),
        retried_at_edge=tried_again(clusters.edge, INVOKE),
        ejects_on_mesh=clusters.mesh.ejects(SIDE_EFFECT),
        ejects_in_trailers=clusters.streaming.ejects(GET_DOCUMENT),
        ejects_at_edge=clusters.edge.ejects(INVOKE),
        caller_sees=row.caller_sees,
    )
    assert tried_again(clusters.streaming, GET_DOCUMENT) == "no", "a part of the answer is with the caller"
    clusters.mesh.heal(READ)
    clusters.edge.heal(INVOKE)
    clusters.streaming.heal(INVOKE)
    assert seen == row
