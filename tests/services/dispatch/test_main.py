"""dispatch as it is started: what a person can mend is one sentence."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from deploy.local import keys
from services.base.starting import listen
from tests.support.clients import ENTRIES
from tests.support.parts import start_fails
from trust.certificates import ensure

MODULE = "services.dispatch"


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """Settings with which nothing is wrong."""
    ensure(tmp_path / "certs", "default", ["dispatch"])
    listing = tmp_path / "clients.json"
    listing.write_text(json.dumps({"clients": ENTRIES}))
    listing.chmod(0o600)
    return {
        "TLS_DIR": str(tmp_path / "certs" / "dispatch"),
        "AUDIENCE": "test",
        "CLIENTS_FILE": str(listing),
        "REDIS_STATE_URL": f"unix://{tmp_path}/redis.sock",
        "REDIS_CACHE_URL": f"unix://{tmp_path}/cache.sock",
        "AUDIT_DIR": str(tmp_path / "audit"),
        "AUDIT_KEY_FILE": str(keys.ensure_audit_key(tmp_path)),
        "BLOBS_URL": (tmp_path / "blobs").as_uri(),
        "SPOOL_DIR": str(tmp_path / "spool"),
    }


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("BLOBS_URL", "ftp://ada:S3cret@host/blobs", "PAPERMESH_BLOBS_URL is wrong: must be file:///"),
        ("BLOBS_URL", "file:///dev/null/blobs", "/dev/null/blobs: Not a directory."),
        ("REDIS_STATE_URL", "http://S3cret", "PAPERMESH_REDIS_STATE_URL is wrong: must be unix:///"),
        ("REDIS_CACHE_URL", "redis://:S3cret@", "PAPERMESH_REDIS_CACHE_URL is wrong: must be unix:///"),
        ("AUDIT_DIR", "/dev/null/audit", "/dev/null/audit: Not a directory."),
        ("AUDIT_KEY_FILE", "/absent.json", "/absent.json: No such file or directory"),
        ("MESH_ADDRESS", "not an address", "PAPERMESH_MESH_ADDRESS is wrong: must be host:port."),
        ("DESCRIPTORS", "/absent.binpb", "PAPERMESH_DESCRIPTORS is wrong: there is no file /absent.binpb."),
        ("DESCRIPTORS", __file__, "PAPERMESH_DESCRIPTORS is wrong: one of its files is not a descriptor set."),
        ("SERVICES", "nope.v1.Typo", "PAPERMESH_SERVICES is wrong: no descriptor set has nope.v1.Typo."),
        ("SPOOL_DIR", "/dev/null/spool", "/dev/null/spool: Not a directory."),
        ("TLS_DIR", "/absent", "PAPERMESH_TLS_DIR is wrong: there is no file /absent/tls.crt."),
        ("CLIENTS_FILE", "/absent.json", "/absent.json: No such file or directory"),
    ],
)
def test_a_wrong_setting_is_one_sentence(settings: dict[str, str], name: str, value: str, says: str) -> None:
    said = start_fails(MODULE, {**settings, name: value})
    assert said.startswith(f"dispatch cannot start.\n{says}")
    assert said.count("\n") == 2


def test_a_clients_file_that_everybody_can_read_is_refused(settings: dict[str, str]) -> None:
    Path(settings["CLIENTS_FILE"]).chmod(0o644)
    said, file = start_fails(MODULE, settings), settings["CLIENTS_FILE"]
    assert said == f"dispatch cannot start.\n{file}: everybody on this machine can read it; run chmod o= {file}\n"


def test_a_taken_port_is_one_sentence(settings: dict[str, str]) -> None:
    with closing(listen("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = start_fails(MODULE, {**settings, "DISPATCH_PORT": port})
    assert said.endswith(
        f"dispatch cannot start.\nCannot listen on port {port} of 127.0.0.1: another program listens there, or the "
        "address is not this machine's.\n"
    )
