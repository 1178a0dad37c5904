"""The settings that say who may call the adapter, and from where."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from mcp_adapter.http.loopback import is_loopback
from services.base.settings import CommaList, WorkloadSettings, url_parts

WITHOUT_AUTH = "yes-anyone-may-call"
"""The words that let an adapter without authentication listen beyond loopback."""

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", re.ASCII)
_ORIGIN = re.compile(r"(https?)://([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?", re.ASCII)
_USUAL_PORTS = {"http": ":80", "https": ":443"}


def is_safe_url(url: str) -> bool:
    """Whether to trust keys from this URL: it is https, or plain http on this machine."""
    parts = url_parts(url)
    host = parts.hostname or ""
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    secure = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
    return bool(host) and plain and secure


def _issuer_url(url: str) -> str:
    if url and not is_safe_url(url):
        raise ValueError("must be an https URL without a query; http only on this machine")
    return url


_IssuerUrl = Annotated[str, AfterValidator(_issuer_url)]


class PeopleSettings(WorkloadSettings):
    """How callers are identified, and which addresses, names and pages may lead to the adapter."""

    auth: Literal["none", "api-keys", "oidc"] = Field(
        "none",
        description="How callers are identified: none, api-keys (PAPERMESH_API_KEYS_FILE) or oidc (PAPERMESH_OIDC_…)."
        " See docs/people.md.",
    )
    http_without_auth: str = Field(
        "",
        pattern=f"^({WITHOUT_AUTH})?$",
        description=f"`{WITHOUT_AUTH}` lets the adapter listen beyond loopback while PAPERMESH_AUTH is none.",
    )
    http_host: str = Field(
        "127.0.0.1", description="Address to listen on. Beyond loopback, PAPERMESH_AUTH must not be none."
    )
    http_hosts: CommaList = Field(
        (),
        description="Host names besides loopback that requests may use in Host, separated by commas, without ports.",
    )
    http_origins: CommaList = Field(
        (),
        description="Origins whose pages may call from a browser (CORS), https://console.example, separated by commas.",
    )
    api_keys_file: Path | None = Field(
        None,
        validate_default=True,
        description="The file with the hashes of the API keys (`papermesh keys`); for PAPERMESH_AUTH=api-keys.",
    )
    oidc_issuer: _IssuerUrl = Field(
        "",
        validate_default=True,
        description="The issuer, an https URL exactly as its tokens give it; for PAPERMESH_AUTH=oidc.",
    )
    oidc_audience: str = Field(
        "",
        validate_default=True,
        description="What a token's aud must contain: this adapter's name at the issuer; for PAPERMESH_AUTH=oidc.",
    )
    oidc_actor_claim: str = Field(
        "sub",
        pattern="^[!-~]{1,64}$",
        description="The claim that names the actor: sub, email (then email_verified must be true), or another.",
    )
    oidc_jwks_url: _IssuerUrl = Field(
        "", description="URL of the issuer's keys. If not set, its discovery document gives it."
    )

    @field_validator("http_host")
    @classmethod
    def _address(cls, host: str, info: ValidationInfo) -> str:
        if host != "localhost":
            try:
                ipaddress.ip_address(host)
            except ValueError:
                raise ValueError("must be an IP address or localhost") from None
        open_to_all = info.data.get("auth") == "none" and info.data.get("http_without_auth") != WITHOUT_AUTH
        if open_to_all and not is_loopback(host):
            raise ValueError(
                "must be a loopback address, since PAPERMESH_AUTH is none and anybody could call;"
                f" PAPERMESH_HTTP_WITHOUT_AUTH={WITHOUT_AUTH} allows others anyway"
            )
        return host

    @field_validator("http_hosts")
    @classmethod
    def _names(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_NAME.fullmatch(host) for host in hosts):
            raise ValueError("must be host names, without scheme or port")
        return tuple(host.lower() for host in hosts)

    @field_validator("http_origins")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            # A browser has one spelling; an origin in any other would never match.
            found = _ORIGIN.fullmatch(origin)
            if found is None or found[4] == _USUAL_PORTS[found[1]]:
                raise ValueError(
                    "must be scheme://host[:port] as browsers write it: lower case, no default port, no path"
                )
        return origins

    @field_validator("api_keys_file", "oidc_issuer", "oidc_audience")
    @classmethod
    def _needed(cls, value: Path | str | None, info: ValidationInfo) -> Path | str | None:
        needed_for = "api-keys" if info.field_name == "api_keys_file" else "oidc"
        if not value and info.data.get("auth") == needed_for:
            raise ValueError(f"PAPERMESH_AUTH={needed_for} needs it")
        return value
