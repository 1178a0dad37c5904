"""The adapter as it is started: what a person can mend is one sentence."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from services.base.starting import listen
from tests.support.clients import ADAPTER_KEY, encoded
from tests.support.parts import start_fails
from tests.support.ports import free_port
from trust.certificates import ensure

MODULE = "mcp_adapter"


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """Settings with which nothing is wrong."""
    ensure(tmp_path / "certs", "default", ["adapter"])
    key = tmp_path / "adapter.json"
    key.write_text(json.dumps({"client": "adapter", "key_id": "k1", "secret": encoded(ADAPTER_KEY.secret)}))
    key.chmod(0o600)
    return {
        "TLS_DIR": str(tmp_path / "certs" / "adapter"),
        "AUDIENCE": "test",
        "KEY_FILE": str(key),
        "SPOOL_DIR": str(tmp_path / "spool"),
        "HTTP_PORT": str(free_port()),
    }


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("KEY_FILE", "/absent.json", "/absent.json: No such file or directory"),
        ("SPOOL_DIR", "/dev/null/spool", "/dev/null/spool: Not a directory."),
        ("AUTH", "api-keys", "PAPERMESH_API_KEYS_FILE is wrong: PAPERMESH_AUTH=api-keys needs it."),
        (
            "HTTP_HOST",
            "10.0.0.1",
            "PAPERMESH_HTTP_HOST is wrong: must be a loopback address, since PAPERMESH_AUTH is none",
        ),
        ("HTTP_PROXIES", "10.0.0.1/8", "PAPERMESH_HTTP_PROXIES is wrong: must be addresses or networks, 10.0.0.0/8"),
        ("TLS_DIR", "/absent", "PAPERMESH_TLS_DIR is wrong: there is no file /absent/tls.crt."),
    ],
)
def test_a_wrong_setting_is_one_sentence(settings: dict[str, str], name: str, value: str, says: str) -> None:
    said = start_fails(MODULE, {**settings, name: value})
    assert said.startswith(f"The adapter cannot start.\n{says}")
    assert said.count("\n") == 2


def test_a_key_that_everybody_can_read_is_refused(settings: dict[str, str]) -> None:
    Path(settings["KEY_FILE"]).chmod(0o644)
    assert "adapter.json: everybody on this machine can read it; run chmod o= " in start_fails(MODULE, settings)


def test_a_file_of_api_keys_that_is_not_there_is_one_sentence(settings: dict[str, str]) -> None:
    said = start_fails(MODULE, {**settings, "AUTH": "api-keys", "API_KEYS_FILE": "/absent.json"})
    assert said.startswith("The adapter cannot start.\n/absent.json: No such file or directory. `papermesh keys add`")


@pytest.mark.parametrize("name", ["HTTP_PORT", "PROBE_PORT"])
def test_a_taken_port_is_one_sentence(settings: dict[str, str], name: str) -> None:
    with closing(listen("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = start_fails(MODULE, {**settings, name: port})
    assert (
        f"The adapter cannot start.\nCannot listen on port {port} of 127.0.0.1: another program listens there" in said
    )
