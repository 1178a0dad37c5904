"""Who is at the other end: SPIFFE ids, the peer that a server accepts, and the caller that Envoy vouches for."""

import functools
import re
from collections.abc import Iterable, Mapping

from services.base.errors import Code, PapermeshError

TRUST_DOMAIN = "papermesh"

_XFCC = "x-forwarded-client-cert"
# One element, with only what our Envoy is told to write. A comma would start a second element.
_ONE_ELEMENT = re.compile(r"(?:By=[^,;\"]*;)?Hash=[0-9a-f]{64};URI=(spiffe://[^,;\"]{1,2040})", re.ASCII)


def workload_id(namespace: str, workload: str) -> str:
    """The SPIFFE id of a workload of the mesh, "spiffe://papermesh/ns/default/sa/pdf"."""
    return f"spiffe://{TRUST_DOMAIN}/ns/{namespace}/sa/{workload}"


def client_id(namespace: str, name: str) -> str:
    """The SPIFFE id of a company's own caller, "spiffe://papermesh/ns/default/client/reports"."""
    return f"spiffe://{TRUST_DOMAIN}/ns/{namespace}/client/{name}"


def check_peer(auth_context: Mapping[str, Iterable[bytes]], expected: bytes) -> None:
    """Refuses a peer whose certificate is not `expected`: a service accepts only Envoy.

    Raises:
        PapermeshError: FORBIDDEN.
    """
    if list(auth_context.get("peer_spiffe_id", ())) != [expected]:
        raise PapermeshError(Code.FORBIDDEN, "Only Envoy may call this service. Call it through the mesh.")


def caller(metadata: Iterable[tuple[str, str | bytes]]) -> str:
    """The URI SAN of the certificate that Envoy saw, from the header that it alone sets.

    Raises:
        PapermeshError: UNAUTHENTICATED unless there is exactly one element with exactly one URI.
    """
    values = [value for key, value in metadata if key == _XFCC]
    if len(values) == 1 and isinstance(values[0], str) and (uri := _uri(values[0])):
        return uri
    raise PapermeshError(Code.UNAUTHENTICATED, "The call did not come through Envoy with one client certificate.")


@functools.lru_cache  # asked three times for each call, and there are few certificates
def _uri(header: str) -> str | None:
    match = _ONE_ELEMENT.fullmatch(header)
    return match[1] if match else None
