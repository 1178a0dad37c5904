"""What the adapter reads from its environment."""

import ipaddress
import re
from pathlib import Path

from pydantic import Field, field_validator

from services.base.setting_kinds import HostPort
from services.base.settings import CommaList, Port, WorkloadSettings

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", re.ASCII)


class AdapterSettings(WorkloadSettings):
    """The settings of the adapter; docs/settings.md lists them with those of the other parts."""

    http_host: str = Field(
        "127.0.0.1",
        description="Address to listen on. Loopback only: this version does not authenticate people.",
    )
    http_port: Port = Field(9000, description="Port to listen on.")
    http_hosts: CommaList = Field(
        (),
        description="Names besides loopback that requests may ask for in Host, separated by commas, without ports.",
    )
    edge_address: HostPort = Field("localhost:8443", description="Envoy's edge listener, host:port.")
    audience: str = Field(
        pattern="^[a-z0-9][a-z0-9-]{0,62}$",
        description="Name of this deployment; part of every signature. Lower-case letters, digits, -.",
    )
    key_file: Path = Field(description="The file with the key that signs the adapter's calls (docs/clients.md).")
    spool_dir: Path = Field(description="Folder where uploads wait until they are complete.")
    max_document_bytes: int = Field(
        100_000_000, ge=1, lt=2**31, description="The largest document that may be uploaded, in bytes."
    )
    drain_s: int = Field(20, ge=0, le=600, description="Seconds that running calls get to finish after SIGTERM.")

    @field_validator("http_hosts")
    @classmethod
    def _names(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_NAME.fullmatch(host) for host in hosts):
            raise ValueError("must be names of hosts, without scheme and port")
        return tuple(host.lower() for host in hosts)

    @field_validator("http_host")
    @classmethod
    def _loopback(cls, host: str) -> str:
        try:
            if ipaddress.ip_address(host).is_loopback:
                return host
        except ValueError:
            if host == "localhost":
                return host
        raise ValueError("must be a loopback address")
