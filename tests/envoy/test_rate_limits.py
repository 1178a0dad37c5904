"""The flood limit at the edge, on a running Envoy: whose bucket a call is counted in, and how a refusal looks."""

import itertools
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from hypothesis import given
from hypothesis import strategies as st

from envoy import rate_limits
from envoy.topology import Address, Service, Topology
from services.base import actions
from services.base.actions import Rate
from services.base.status import DETAILS_KEY
from tests.envoy.backend import HEALTH_CHECK
from tests.envoy.harness import GET_METADATA, INVOKE, LIST_ACTIONS, Mesh, running_mesh
from trust.certificates import ensure

SCALE = 0.01
TABLE = actions.load()
METADATA, EMBED = (("x-action", "PDF_METADATA"),), (("x-action", "PDF_EMBED"),)

NewClient = Callable[[], str]


def burst(rate: Rate, actors: int = rate_limits.BURSTS) -> int:
    """How many calls the bucket of one client holds under SCALE."""
    return max(1, round(rate.burst * actors * SCALE + 0.499))


WHOLE = burst(rate_limits.WHOLE, 1)


@pytest.fixture(scope="module")
def limited() -> Iterator[Mesh]:
    with TemporaryDirectory(prefix="papermesh-") as name, running_mesh(Path(name), rate_scale=SCALE) as mesh:
        yield mesh


@pytest.fixture
def mesh(limited: Mesh) -> Mesh:
    limited.dispatch.calls.clear()
    return limited


_numbers = itertools.count()


@pytest.fixture
def new_client(mesh: Mesh) -> NewClient:
    """Makes a client that has made no call yet."""

    def make() -> str:
        name = f"caller-{next(_numbers)}"
        ensure(mesh.certs, "default", clients=[name])
        return f"client/{name}"

    return make


def let_past(mesh: Mesh, by: str, path: str, metadata: tuple[tuple[str, str], ...] = (), most: int = 100) -> int:
    """How many calls pass until the first one is refused, or `most`."""
    with mesh.channel(mesh.envoy.topology.edge, by=by) as channel:
        call = channel.unary_unary(path)
        for number in range(most):
            try:
                call(b"", timeout=10, metadata=metadata)
            except grpc.RpcError as error:
                if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
                    return number
                raise
    return most


def test_a_client_may_call_an_action_as_often_as_twenty_actors_and_no_more(mesh: Mesh, new_client: NewClient) -> None:
    expected = burst(TABLE.actions["PDF_METADATA"].rate)
    assert let_past(mesh, new_client(), INVOKE, METADATA) in (expected, expected + 1)


def test_an_empty_bucket_is_its_actions_and_its_clients_alone(mesh: Mesh, new_client: NewClient) -> None:
    flooder, other = new_client(), new_client()
    let_past(mesh, flooder, INVOKE, METADATA)
    assert let_past(mesh, flooder, INVOKE, EMBED, most=1) == 1
    assert let_past(mesh, other, INVOKE, METADATA, most=1) == 1


def test_all_calls_of_a_client_together_are_limited_too(mesh: Mesh, new_client: NewClient) -> None:
    client = new_client()
    kinds = [(INVOKE, (("x-action", name),)) for name in TABLE.listed(["papermesh.pdf.v1.PdfService"])] + [
        (method.path, ()) for method in TABLE.methods.values() if method.path.startswith(LIST_ACTIONS[:-11])
    ]
    assert sum(let_past(mesh, client, path, metadata) for path, metadata in kinds) in range(WHOLE, WHOLE + 3)


def test_what_one_bucket_refuses_the_other_does_not_count(mesh: Mesh, new_client: NewClient) -> None:
    client = new_client()
    with mesh.channel(mesh.envoy.topology.edge, by=client) as channel:
        refusals = 0
        for _ in range(5 * WHOLE):
            try:
                channel.unary_unary(INVOKE)(b"", timeout=10, metadata=EMBED)
            except grpc.RpcError:
                refusals += 1
    assert refusals > WHOLE
    assert let_past(mesh, client, LIST_ACTIONS, most=3) == 3


@pytest.mark.parametrize(
    ("path", "metadata"),
    [
        (INVOKE, ()),
        (INVOKE, (("x-action", ""),)),
        (INVOKE, (("x-action", "NO_SUCH_ACTION"),)),
        (INVOKE, (("x-action", "GITLAB_GUIDE"),)),  # in the table, and not deployed here
        (INVOKE, (("x-action", "pdf_metadata"),)),
        (INVOKE, (("x-action", "PDF_METADATA"), ("x-action", "PDF_METADATA"))),
        (f"{INVOKE}?action=PDF_METADATA", METADATA),
        (f"{LIST_ACTIONS}?", ()),
    ],
)
def test_what_names_no_action_and_no_method_has_one_small_bucket(
    mesh: Mesh, new_client: NewClient, path: str, metadata: tuple[tuple[str, str], ...]
) -> None:
    client = new_client()
    assert let_past(mesh, client, path, metadata) == 1
    assert let_past(mesh, client, INVOKE, (("x-action", "ANOTHER"),)) == 0, "the same one for all of them"
    assert let_past(mesh, client, INVOKE, METADATA, most=1) == 1, "and no other"


def test_invented_actions_make_no_new_buckets(mesh: Mesh, new_client: NewClient) -> None:
    client = new_client()
    passed = sum(let_past(mesh, client, INVOKE, (("x-action", f"FLOOD_{number}"),), most=1) for number in range(50))
    assert passed in (1, 2)


def test_a_method_that_is_no_action_has_a_bucket_of_its_own(mesh: Mesh, new_client: NewClient) -> None:
    client = new_client()
    rate = TABLE.methods[LIST_ACTIONS].rate
    assert rate is not None
    assert let_past(mesh, client, LIST_ACTIONS) in (burst(rate), burst(rate) + 1)
    assert let_past(mesh, client, INVOKE, METADATA, most=1) == 1


def test_health_is_counted_in_the_operators_whole_bucket_alone(mesh: Mesh) -> None:
    assert let_past(mesh, "operator", HEALTH_CHECK) in range(WHOLE, WHOLE + 3)


def test_a_renewed_certificate_brings_no_new_bucket(mesh: Mesh, new_client: NewClient) -> None:
    client = new_client()
    let_past(mesh, client, INVOKE, EMBED)
    before = (mesh.certs / client / "tls.crt").read_bytes()
    shutil.rmtree(mesh.certs / client)
    ensure(mesh.certs, "default", clients=[client.removeprefix("client/")])
    assert (mesh.certs / client / "tls.crt").read_bytes() != before
    assert let_past(mesh, client, INVOKE, EMBED, most=1) == 0


def test_a_forged_certificate_header_brings_no_new_bucket(mesh: Mesh, new_client: NewClient) -> None:
    client = new_client()
    let_past(mesh, client, INVOKE, EMBED)
    forged = (*EMBED, ("x-forwarded-client-cert", "URI=spiffe://papermesh/ns/default/client/another"))
    assert let_past(mesh, client, INVOKE, forged, most=1) == 0


def test_who_may_not_call_is_denied_and_not_counted(mesh: Mesh) -> None:
    for _ in range(2 * WHOLE):
        assert mesh.refused(INVOKE, by="pdf", metadata=METADATA).code() is grpc.StatusCode.PERMISSION_DENIED


def test_a_refusal_is_typed_says_when_to_come_back_and_reaches_nobody(mesh: Mesh, new_client: NewClient) -> None:
    client = new_client()
    passed = let_past(mesh, client, INVOKE, EMBED)
    assert len(mesh.dispatch.calls) == passed
    error = mesh.refused(INVOKE, by=client, metadata=EMBED)
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "too many calls" in error.details()
    status = status_pb2.Status.FromString(dict(error.trailing_metadata())[DETAILS_KEY])
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    assert status.details[0].Unpack(info)
    assert status.details[1].Unpack(retry)
    assert (info.domain, info.reason) == ("papermesh", "RATE_LIMIT")
    assert retry.retry_delay.ToMilliseconds() == rate_limits.RETRY_AFTER_MS
    headers = {key for key, _ in (*error.initial_metadata(), *error.trailing_metadata())}
    assert not [key for key in headers if "ratelimit" in key], "how full a bucket is stays here"
    assert len(mesh.dispatch.calls) == passed


def test_a_bucket_fills_again(folder: Path) -> None:
    with running_mesh(folder, rate_scale=0.5) as mesh:  # PDF_EMBED: 30 at once, 300 a minute
        let_past(mesh, "adapter", INVOKE, EMBED)
        with mesh.channel(mesh.envoy.topology.edge) as channel:
            later = channel.unary_unary(INVOKE)
            refused = 0
            while True:
                try:
                    later(b"", timeout=10, metadata=EMBED)
                    break
                except grpc.RpcError:
                    refused += 1
                    assert refused < 10_000, "a token comes every 0.6 s"


def test_more_clients_than_envoys_default_of_twenty_keep_their_buckets(mesh: Mesh, new_client: NewClient) -> None:
    clients = [new_client() for _ in range(30)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda client: let_past(mesh, client, INVOKE), clients)) == [1] * 30
        again = list(pool.map(lambda client: let_past(mesh, client, INVOKE, most=1), clients))
    assert sum(again) <= 3, "a token comes every 50 s"


def test_the_mesh_has_no_flood_limit(mesh: Mesh) -> None:
    with mesh.channel(mesh.envoy.topology.mesh, by="dispatch") as channel:
        for _ in range(3 * WHOLE):
            channel.unary_unary(GET_METADATA)(b"", timeout=10)


def buckets(scale: float) -> list[dict[str, Any]]:
    topology = Topology(
        config_dir="config",
        tls_dir="tls",
        admin_socket="admin.sock",
        dispatch=(Address("127.0.0.1", 1),),
        services=(Service("pdf", ("papermesh.pdf.v1.PdfService",), (Address("127.0.0.1", 2),)),),
        rate_scale=scale,
    )
    descriptors: list[dict[str, Any]] = rate_limits.http_filter(TABLE, topology)["typed_config"]["descriptors"]
    return [each["token_bucket"] for each in descriptors]


@given(st.floats(1e-9, 1e6, exclude_min=True))
def test_a_scaled_bucket_is_never_empty_and_never_more_than_envoy_can_read(scale: float) -> None:
    for plain, scaled in zip(buckets(1), buckets(scale), strict=True):
        for field in ("max_tokens", "tokens_per_fill"):
            assert isinstance(scaled[field], int)
            assert 1 <= scaled[field] < 2**32
            assert scaled[field] >= min(plain[field] * scale, 2**32 - 1)


def test_every_deployed_action_and_every_method_with_a_rate_has_a_bucket() -> None:
    deployed = TABLE.listed(["papermesh.pdf.v1.PdfService"])
    limited = [
        method
        for method in TABLE.methods.values()
        if method.service == "papermesh.dispatch.v1.DispatchService" and method.path != INVOKE
    ]
    assert all(method.rate for method in limited)
    assert len(buckets(1)) == 2 + len(deployed) + len(limited)
