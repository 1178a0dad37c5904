"""What the adapter reads from its environment."""

import ipaddress
from pathlib import Path

from pydantic import Field, field_validator

from mcp_adapter.people.settings import PeopleSettings
from services.base.settings import CommaList, HostPort, Port


class AdapterSettings(PeopleSettings):
    """The settings of the adapter; docs/settings.md lists them with those of the other parts."""

    http_port: Port = Field(9000, description="Port to listen on.")
    http_proxies: CommaList = Field(
        (),
        description="Proxies in front: addresses and networks (10.0.0.0/8), separated by commas. Their X-Forwarded-For"
        " is trusted, and no one peer's share limits their connections (docs/running.md).",
    )
    probe_port: int = Field(
        0,
        ge=0,
        le=65_535,
        description="Port for a kubelet's probes: only /healthz and /readyz, over plain HTTP. A crowd at the other port"
        " cannot keep them out. 0 for none.",
    )
    edge_address: HostPort = Field("localhost:8443", description="Envoy's edge listener, host:port.")
    audience: str = Field(
        pattern="^[a-z0-9][a-z0-9-]{0,62}$",
        description="Name of this deployment; part of every signature. Lower-case letters, digits, -.",
    )
    key_file: Path = Field(description="The file with the key that signs the adapter's calls (docs/clients.md).")
    ticket_key_file: Path | None = Field(
        None,
        description="The file with the key that seals tickets, the same for all adapters of a deployment"
        " (docs/people.md). If empty, tickets are good at the adapter alone that made them.",
    )
    spool_dir: Path = Field(description="Folder where uploads wait until they are complete.")
    max_document_bytes: int = Field(
        100_000_000, ge=1, lt=2**31, description="The largest document that may be uploaded, in bytes."
    )
    drain_s: int = Field(20, ge=0, le=600, description="Seconds that running calls get to finish after SIGTERM.")

    @field_validator("http_proxies")
    @classmethod
    def _networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            try:
                ipaddress.ip_network(proxy)
            except ValueError:
                raise ValueError("must be addresses or networks, 10.0.0.0/8, with no bits beyond the prefix") from None
        return proxies
