"""What dispatch reads from its environment."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from services.base.names import DNS_LABEL
from services.base.server import ServerSettings
from services.base.settings import BlobsUrl, CommaList, HostPort, Port, ReadableFiles, RedisUrl
from services.dispatch.answers.answers import CacheScope


class DispatchSettings(ServerSettings):
    """The settings of dispatch; docs/settings.md lists them with those of the other parts."""

    dispatch_port: Port = Field(9101, description="Port that dispatch listens on.")
    mesh_address: HostPort = Field("localhost:8444", description="Envoy's mesh listener, host:port.")
    audience: str = Field(
        pattern="^[a-z0-9][a-z0-9-]{0,62}$",
        description="Name of this deployment; a call signed for another one is refused. Lower-case letters, digits, -.",
    )
    clients_file: Path = Field(description="The file that lists the clients, their keys and rights (docs/clients.md).")
    redis_state_url: RedisUrl = Field(
        description=(
            "Redis in its state role, unix:///path/to.sock or redis[s]://…: nonces, buckets, rights, idempotency "
            "records. It must never evict and should keep its data across a restart."
        )
    )
    redis_cache_url: RedisUrl = Field(
        description="Redis in its cache role: results. Not the same Redis as for state: this one is bounded and evicts."
    )
    blobs_url: BlobsUrl = Field(description="The blob store, file:///folder or s3://bucket/prefix.")
    spool_dir: Path = Field(description="Folder where uploads wait until they are complete, for this process alone.")
    services: CommaList = Field(
        ("papermesh.pdf.v1.PdfService",),
        description="Full proto names of the services that this deployment runs, separated by commas.",
    )
    descriptors: Annotated[CommaList, ReadableFiles] = Field(
        (), description="Files with the descriptor sets of in-house services, separated by commas."
    )
    max_document_bytes: int = Field(
        100_000_000, ge=1, lt=2**31, description="The largest document that may be uploaded, in bytes."
    )
    cache_scope: CacheScope = Field(
        CacheScope.DEPLOYMENT,
        description=(
            "Who shares results and equal calls under way: deployment (everybody with the right to the documents), "
            "client (the actors of one client) or actor (nobody). See docs/results.md."
        ),
    )
    rate_scale: float = Field(
        1, gt=0, le=1_000_000, description="Multiplies every rate and burst; all limits are still evaluated."
    )
    client_requests_per_minute: int = Field(
        6_000, ge=1, le=1_000_000, description="Calls a minute that one client may make in all, before the scale."
    )
    client_burst: int = Field(600, ge=1, le=1_000_000, description="Calls that one client may make at once.")
    calls_at_once: int = Field(
        32,
        ge=1,
        le=10_000,
        description="Calls of one client and actor that may be under way at one service (docs/rates.md).",
    )
    client_calls_at_once: int = Field(
        48,
        ge=1,
        le=10_000,
        description="The same for one client, all its actors together; a quarter of the 192 calls that pdf lets wait.",
    )
    replica: str = Field(
        "dispatch",
        pattern=DNS_LABEL,
        description="Name of this process among its replicas; its audit logs are named after it.",
    )
    audit_dir: Path = Field(description="Folder of the audit logs (docs/audit.md).")
    audit_key_file: Path = Field(
        description="The file with the key of the audit logs. Keep it from whoever can read the logs."
    )
    audit_keep_days: int = Field(
        400, ge=1, le=3650, description="Days for which Redis remembers how many lines each audit log had."
    )
    quota_bytes: int = Field(
        10_000_000_000,
        ge=0,
        lt=2**53,
        description=(
            "Bytes of uploads that one client may hold in all, unless its entry says otherwise; each document counts "
            "at least 64 KiB."
        ),
    )
    quota_documents: int = Field(
        20_000,
        ge=0,
        lt=2**53,
        description=(
            "Documents that one client may hold in all, unless its entry says otherwise; 20,000 take at most 40 MB of "
            "Redis (docs/documents.md)."
        ),
    )
    keep_days: int = Field(
        30, ge=1, le=3650, description="Days after its last use for which an upload is kept (docs/documents.md)."
    )
