"""What a setting may hold besides numbers and names. A URL that is wrong is never shown: it may hold a password."""

import os
import re
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator

from services.base.redis.address import RedisAddress

TLS_FILES = ("tls.crt", "tls.key", "ca.crt")

_HIGHEST_PORT = 65_535
_ADDRESS = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})", re.ASCII)
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)


def _host_and_port(address: str) -> str:
    found = _ADDRESS.fullmatch(address)
    if found is None or not 1 <= int(found[1]) <= _HIGHEST_PORT:
        raise ValueError("must be host:port")
    return address


def _blobs_url(url: str) -> str:
    parts = _split(url)
    wanted = {"file": _is_file(parts), "s3": _BUCKET.fullmatch(parts.netloc)}
    if not wanted.get(parts.scheme) or parts.query or parts.fragment:
        raise ValueError("must be file:///folder or s3://bucket/prefix; a bucket's credentials never stand in it")
    return url


def _redis_url(url: str) -> str:
    parts = _split(url)
    wanted = {"unix": _is_file(parts), "redis": parts.hostname, "rediss": parts.hostname}
    if not wanted.get(parts.scheme):
        raise ValueError("must be unix:///path/to.sock, redis://host:port or rediss://host:port")
    RedisAddress(url)  # its options, too
    return url


def _is_file(parts: SplitResult) -> bool:
    return parts.path.startswith("/") and not parts.netloc


def _split(url: str) -> SplitResult:
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
