import pytest

from services.base import identity
from services.base.errors import Code, PapermeshError

ENVOY = b"spiffe://papermesh/ns/default/sa/envoy"
ADAPTER = "spiffe://papermesh/ns/default/sa/adapter"
HASH = "0" * 64


def test_ids_are_spiffe_ids() -> None:
    assert identity.workload_id("default", "pdf") == "spiffe://papermesh/ns/default/sa/pdf"
    assert identity.client_id("prod", "reports") == "spiffe://papermesh/ns/prod/client/reports"


def test_the_expected_peer_may_connect() -> None:
    identity.check_peer({"peer_spiffe_id": [ENVOY]}, ENVOY)


@pytest.mark.parametrize(
    "context",
    [
        {},
        {"peer_spiffe_id": []},
        {"peer_spiffe_id": [ADAPTER.encode()]},
        {"peer_spiffe_id": [ENVOY, ADAPTER.encode()]},
        {"peer_spiffe_id": [ENVOY, ENVOY]},
        {"peer_spiffe_id": [ENVOY + b"2"]},
        {"x509_common_name": [b"envoy"]},
    ],
)
def test_any_other_peer_is_refused(context: dict[str, list[bytes]]) -> None:
    with pytest.raises(PapermeshError, match="Only Envoy") as caught:
        identity.check_peer(context, ENVOY)
    assert caught.value.code is Code.FORBIDDEN


@pytest.mark.parametrize("header", [f"Hash={HASH};URI={ADAPTER}", f"By={ENVOY.decode()};Hash={HASH};URI={ADAPTER}"])
def test_the_caller_is_the_uri_that_envoy_saw(header: str) -> None:
    assert identity.caller([("x-client", "adapter"), ("x-forwarded-client-cert", header)]) == ADAPTER


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [""],
        [f"Hash={HASH}"],
        [f"URI={ADAPTER}"],
        [f"Hash={HASH};URI="],
        [f"Hash={HASH};URI=https://papermesh/sa/adapter"],
        [f"Hash={HASH};URI={ADAPTER},Hash={HASH};URI={ADAPTER}"],
        [f"Hash={HASH};URI={ADAPTER};URI={ADAPTER}"],
        [f'Hash={HASH};URI="{ADAPTER}"'],
        [f"Hash={HASH};URI={ADAPTER}", f"Hash={HASH};URI={ADAPTER}"],
        [f"Hash={HASH};Subject=CN=adapter;URI={ADAPTER}"],
        [f"Hash={HASH[:-1]};URI={ADAPTER}"],
        [f"Hash={HASH};URI=spiffe://{'a' * 3000}"],
        [f"Hash={HASH};URI={ADAPTER}".encode()],
    ],
)
def test_anything_but_one_element_with_one_uri_is_refused(headers: list[str | bytes]) -> None:
    with pytest.raises(PapermeshError, match="through Envoy") as caught:
        identity.caller([("x-forwarded-client-cert", header) for header in headers])
    assert caught.value.code is Code.UNAUTHENTICATED
