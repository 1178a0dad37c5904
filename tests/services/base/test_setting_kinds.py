from pathlib import Path
from typing import Annotated

import pytest

from services.base.settings import (
    TLS_FILES,
    BlobsUrl,
    CommaList,
    HostPort,
    ReadableFiles,
    RedisUrl,
    Settings,
    SettingsError,
    TlsFolder,
)


class Example(Settings):
    """One setting of each kind."""

    address: HostPort = "localhost:1"
    blobs: BlobsUrl = "file:///blobs"
    redis: RedisUrl = "unix:///redis.sock"
    tls: TlsFolder | None = None
    files: Annotated[CommaList, ReadableFiles] = ()


def refusal(**wrong: object) -> str:
    with pytest.raises(SettingsError) as caught:
        Example.read(**wrong)
    return str(caught.value)


@pytest.mark.parametrize("address", ["localhost:8444", "10.0.0.1:1", "envoy.mesh.svc:65535", "[::1]:8444"])
def test_an_address_is_a_host_and_a_port(address: str) -> None:
    assert Example.read(address=address).address == address


@pytest.mark.parametrize(
    "address", ["not an address", "localhost", ":1", "localhost:", "localhost:0", "a:65536", "::1"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    assert refusal(address=address) == "PAPERMESH_ADDRESS is wrong: must be host:port."


@pytest.mark.parametrize("url", ["file:///var/blobs", "file:///a%20b", "s3://bucket", "s3://bucket.name/a/prefix"])
def test_a_blob_store_is_a_folder_or_a_bucket(url: str) -> None:
    assert Example.read(blobs=url).blobs == url


@pytest.mark.parametrize(
    "url",
    [
        "garbage",
        "file:blobs",
        "file://blobs",
        "ftp://ada:S3cret@host/blobs",
        "s3://ada:S3cret@bucket",
        "s3:///prefix",
        "s3://bucket?token=S3cret",
        "file:///a?b",
        "http://[S3cret",
    ],
)
def test_what_is_no_blob_store_is_refused_and_never_shown(url: str) -> None:
    said = refusal(blobs=url)
    assert said.startswith("PAPERMESH_BLOBS is wrong: must be file:///folder or s3://bucket/prefix")
    assert "S3cret" not in said


@pytest.mark.parametrize("url", ["unix:///run/r.sock", "redis://host", "rediss://ada:S3cret@host:6380/1"])
def test_a_redis_is_a_socket_or_a_host(url: str) -> None:
    assert Example.read(redis=url).redis == url


@pytest.mark.parametrize(
    "url", ["http://S3cret", "unix:r.sock", "unix://r.sock", "redis://", "redis://host:S3cret", ""]
)
def test_what_is_no_redis_is_refused_and_never_shown(url: str) -> None:
    said = refusal(redis=url)
    assert said.startswith("PAPERMESH_REDIS is wrong: must be unix:///path/to.sock, redis://host:port or rediss")
    assert "S3cret" not in said


def test_a_certificate_s_folder_has_all_three_files(tmp_path: Path) -> None:
    assert "there is no file" in refusal(tls=tmp_path / "absent")
    for name in TLS_FILES:
        assert f"there is no file {tmp_path / name}." in refusal(tls=tmp_path)
        (tmp_path / name).touch()
    assert Example.read(tls=tmp_path).tls == tmp_path


def test_files_must_be_there(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.touch()
    assert Example.read(files=f"{there}").files == (str(there),)
    assert refusal(files=f"{there},/absent") == "PAPERMESH_FILES is wrong: there is no file /absent."
    assert "there is no file" in refusal(files=str(tmp_path))


def test_files_must_be_readable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locked = tmp_path / "locked"
    locked.touch()
    monkeypatch.setattr("os.access", lambda *_: False)
    assert refusal(files=str(locked)) == f"PAPERMESH_FILES is wrong: {locked} cannot be read."
