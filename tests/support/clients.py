"""Two clients: the adapter, which acts for people, and "reports", which has two keys and fewer rights."""

import base64

from google.protobuf.message import Message

from services.base import canonical, signature
from services.base.signature import Key
from services.base.testing import envoy_metadata

ADAPTER_KEY = Key("adapter", "k1", bytes(range(32)))
REPORTS_KEY = Key("reports", "k1", bytes(range(32, 64)))
REPORTS_NEW_KEY = Key("reports", "k2", bytes(range(64, 96)))
ADAPTER_ID = "spiffe://papermesh/ns/default/sa/adapter"
REPORTS_ID = "spiffe://papermesh/ns/default/client/reports"


def encoded(secret: bytes) -> str:
    return base64.urlsafe_b64encode(secret).decode().rstrip("=")


def entry(*keys: Key, **fields: object) -> dict[str, object]:
    """A client as the clients file has it."""
    listed = [{"id": key.key_id, "secret": encoded(key.secret)} for key in keys]
    return {"id": keys[0].client, "keys": listed, **fields}


ENTRIES = (
    entry(ADAPTER_KEY, certificate=ADAPTER_ID, actions=["*"], projects=["*"], acts_for=True),
    entry(
        REPORTS_KEY,
        REPORTS_NEW_KEY,
        certificate=REPORTS_ID,
        actions=["PDF_M*", "PDF_DIFF"],
        projects=["corp/*"],
        rates={"PDF_METADATA": {"requests_per_minute": 60, "burst": 2}},
    ),
)

AUDIENCE = "test"
SERVICE = "/papermesh.dispatch.v1.DispatchService"


def signed(
    method: str, message: Message, key: Key = ADAPTER_KEY, *, uri: str = ADAPTER_ID, action: str | None = None
) -> tuple[tuple[str, str], ...]:
    """The metadata of a signed call, as it leaves Envoy."""
    text = canonical.canonical_json(message)
    fields = signature.sign(
        client=key.client,
        secret=key.secret,
        audience=AUDIENCE,
        method=f"{SERVICE}/{method}",
        request=text,
        action=action,
    )
    return (*fields, *envoy_metadata(uri))
