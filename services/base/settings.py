"""Settings from the environment: validated at start, with one clear sentence for each that is wrong.

Every setting is an environment variable `PAPERMESH_<NAME>`. A service declares its own by subclassing `Settings`; each
field carries a description, which docs/settings.md and the error message show. A value that is wrong is never shown: a
URL may hold a password.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from services.base.errors import OperatorError
from services.base.names import DNS_LABEL
from services.base.redis.address import RedisAddress

__all__ = ["BlobsUrl", "CommaList", "HostPort", "Port"]

TLS_FILES = ("tls.crt", "tls.key", "ca.crt")

_HIGHEST_PORT = 65_535
_ADDRESS = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})", re.ASCII)
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _host_and_port(address: str) -> str:
    found = _ADDRESS.fullmatch(address)
    if found is None or not 1 <= int(found[1]) <= _HIGHEST_PORT:
        raise ValueError("must be host:port")
    return address


def _blobs_url(url: str) -> str:
    parts = url_parts(url)
    wanted = {"file": _is_file(parts), "s3": _BUCKET.fullmatch(parts.netloc)}
    if not wanted.get(parts.scheme) or parts.query or parts.fragment:
        raise ValueError("must be file:///folder or s3://bucket/prefix; never with a bucket's credentials")
    return url


def _redis_url(url: str) -> str:
    parts = url_parts(url)
    wanted = {"unix": _is_file(parts), "redis": parts.hostname, "rediss": parts.hostname}
    if not wanted.get(parts.scheme):
        raise ValueError("must be unix:///path/to.sock, redis://host:port or rediss://host:port")
    RedisAddress(url)  # its options, too
    return url


def _is_file(parts: SplitResult) -> bool:
    return parts.path.startswith("/") and not parts.netloc


def url_parts(url: str) -> SplitResult:
    """The parts of a URL; none of them for what is no URL or has a port that is none."""
    try:
        parts = urlsplit(url)
        return parts if parts.port != 0 else urlsplit("")
    except ValueError:
        return urlsplit("")


def _readable(path: Path) -> None:
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    if not os.access(path, os.R_OK):
        raise ValueError(f"{path} cannot be read")


def _readable_files(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        _readable(Path(name))
    return names


def _tls_folder(folder: Path) -> Path:
    for name in TLS_FILES:
        _readable(folder / name)
    return folder


Port = Annotated[int, Field(ge=1, le=65535)]

CommaList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""Several values in one variable, separated by commas."""

HostPort = Annotated[str, AfterValidator(_host_and_port)]
"""An address to call."""

BlobsUrl = Annotated[str, AfterValidator(_blobs_url)]
"""A blob store: a folder or a bucket."""

RedisUrl = Annotated[str, AfterValidator(_redis_url)]
"""A Redis."""

TlsFolder = Annotated[Path, AfterValidator(_tls_folder)]
"""A folder with a certificate, its key and the CA's certificate."""

ReadableFiles = AfterValidator(_readable_files)
"""For a list of files, each of which must be there."""


class SettingsError(OperatorError):
    """The environment does not hold what a part needs; the text is for the person who starts it."""


class Settings(BaseSettings):
    """What every part of the mesh reads from its environment."""

    model_config = SettingsConfigDict(env_prefix="PAPERMESH_", frozen=True, extra="ignore", env_ignore_empty=True)

    log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = Field(
        "INFO", description="Lowest level of log line to write: DEBUG, INFO, WARNING or ERROR."
    )

    @classmethod
    def read(cls, **overrides: Any) -> Self:
        """Reads the environment; `overrides` win over it.

        Raises:
            SettingsError: with a line for every variable that is missing or wrong.
        """
        try:
            return cls(**overrides)
        except ValidationError as error:
            raise SettingsError("\n".join(cls._sentence(dict(item)) for item in error.errors())) from None

    @classmethod
    def _sentence(cls, item: dict[str, Any]) -> str:
        """One line: the variable, what is wrong, what it is for. Never its value, which may be secret."""
        name = str(item["loc"][0]) if item["loc"] else ""
        variable = f"PAPERMESH_{name.upper()}" if name else "The settings"
        described = cls.model_fields[name].description if name in cls.model_fields else None
        said = item["msg"].removeprefix("Value error, ")
        problem = "is not set" if item["type"] == "missing" else f"is wrong: {said}"
        return f"{variable} {problem}. {described or ''}".rstrip()


class WorkloadSettings(Settings):
    """What every workload that holds a certificate reads besides."""

    tls_dir: TlsFolder = Field(
        description="Folder with this workload's tls.crt and tls.key, and ca.crt, the certificates it trusts."
    )
    namespace: str = Field(
        "default",
        pattern=DNS_LABEL,
        description="The namespace in every SPIFFE id, spiffe://papermesh/ns/<namespace>/sa/<workload>.",
    )
