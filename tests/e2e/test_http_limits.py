"""What the adapter refuses before it reads a request: too much, from a stranger, or by too many."""

import json
import socket
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from mcp_adapter.people.api_keys import digest, new_api_key
from mcp_adapter.people.api_keys_file import ApiKey, changing
from tests.e2e.support.adapter import Adapter
from tests.e2e.support.deployment import Deployment, deployed
from tests.e2e.support.waiting import eventually

MAX_CONNECTIONS = 512
MAX_UPLOADS, UPLOADS_OF_ONE = 24, 6


def connect(mesh: Deployment) -> socket.socket:
    return socket.create_connection(("127.0.0.1", mesh.stack.ports.http), timeout=20)


def exchange(mesh: Deployment, *words: bytes) -> bytes:
    """What comes back until the connection ends; it may end before all is sent."""
    received = b""
    with connect(mesh) as connection, suppress(ConnectionError):
        with suppress(ConnectionError):
            for each in words:
                connection.sendall(each)
        while piece := connection.recv(65536):
            received += piece
    return received


def error(received: bytes, status: int) -> dict[str, Any]:
    """The error in the only answer of a connection."""
    assert received.startswith(b"HTTP/1.1 %d " % status), received[:300]
    found: dict[str, Any] = json.loads(received.partition(b"\r\n\r\n")[2])["error"]
    return found


def cpu_s(mesh: Deployment) -> float:
    """Seconds of processor time that the adapter has had."""
    fields = Path("/proc", str(mesh.stack.part("adapter").pid), "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def spooling(mesh: Deployment) -> int:
    """How many files the adapter has open in its spool folder."""
    folder = Path("/proc", str(mesh.stack.part("adapter").pid), "fd")
    spool = str(mesh.stack.folders.spool("adapter"))
    return sum(str(each.readlink()).startswith(spool) for each in folder.iterdir() if each.is_symlink())


@pytest.mark.measures_time
def test_a_header_of_sixty_megabytes_is_refused_at_once(mesh: Deployment) -> None:
    before = cpu_s(mesh)
    received = exchange(mesh, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ", b"x" * 60_000_000, b"\r\n\r\n")
    assert error(received, 431)["code"] == "TOO_LARGE"
    assert cpu_s(mesh) - before < 1


def test_bytes_that_are_not_http_are_answered_in_the_envelope(mesh: Deployment) -> None:
    assert error(exchange(mesh, b"\x16\x03\x01\x02\x00"), 400)["code"] == "BAD_ARG"


@pytest.mark.parametrize("header", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}])
def test_a_page_of_somebody_else_cannot_read(adapter: Adapter, header: dict[str, str]) -> None:
    adapter.request("GET", "/actions", headers=header).must_be("FORBIDDEN", says="PAPERMESH_HTTP_HOSTS")


def upload_slowly(mesh: Deployment, key: str = "") -> socket.socket:
    """An upload that never ends, by whoever bears the key."""
    bearer = f"Authorization: Bearer {key}\r\n" if key else ""
    connection = connect(mesh)
    connection.sendall(
        f"POST /documents HTTP/1.1\r\nHost: localhost\r\n{bearer}Content-Length: 1000\r\n\r\n%PDF".encode()
    )
    return connection


def test_one_persons_uploads_beyond_those_that_may_be_under_way_are_told_to_wait(mesh: Deployment) -> None:
    with ExitStack() as open_ones:
        for _ in range(UPLOADS_OF_ONE):
            open_ones.enter_context(upload_slowly(mesh))
        eventually(lambda: spooling(mesh) == UPLOADS_OF_ONE, what="their last place being taken")
        refused = mesh.adapter.upload(b"%PDF-").must_be("RATE_LIMIT", says="uploads under way")
        assert (refused.status, refused.headers["retry-after"]) == (429, "1")
        assert spooling(mesh) == UPLOADS_OF_ONE
    eventually(lambda: mesh.adapter.upload(b"%PDF-").ok, what="a free place")


def test_one_person_with_slow_uploads_keeps_nobody_else_from_uploading(good_document: Path, tmp_path: Path) -> None:
    keys = {actor: new_api_key() for actor in ("ada", "bob", "cleo", "dan", "eve")}
    file = tmp_path / "api-keys.json"
    with changing(file) as listed:
        listed += [ApiKey(actor, actor, digest(key), None) for actor, key in keys.items()]
    settings = {"PAPERMESH_AUTH": "api-keys", "PAPERMESH_API_KEYS_FILE": str(file)}
    bearers = {actor: f"Bearer {key}" for actor, key in keys.items()}
    with deployed(good_document, **settings) as mesh, ExitStack() as open_ones:
        for _ in range(UPLOADS_OF_ONE):
            open_ones.enter_context(upload_slowly(mesh, keys["ada"]))
        eventually(lambda: spooling(mesh) == UPLOADS_OF_ONE, what="ada's last place being taken")
        mesh.adapter.upload(b"%PDF-a", Authorization=bearers["ada"]).must_be("RATE_LIMIT")
        assert mesh.adapter.upload(b"%PDF-b", Authorization=bearers["bob"]).ok

        for key in [keys["bob"], keys["cleo"], keys["dan"]] * UPLOADS_OF_ONE:
            open_ones.enter_context(upload_slowly(mesh, key))
        eventually(lambda: spooling(mesh) == MAX_UPLOADS, what="the last place being taken")
        refused = mesh.adapter.upload(b"%PDF-e", Authorization=bearers["eve"]).must_be("UNAVAILABLE", says="uploads")
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        mesh.must_have_met_no_bug()


def is_well(connection: socket.socket) -> bool:
    """Whether the adapter answers to an open connection that it is well; False for one that it has ended."""
    with suppress(ConnectionError):
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return connection.recv(65536).startswith(b"HTTP/1.1 200 ")
    return False


def test_a_crowd_that_asks_for_something_now_and_then_keeps_nobody_else_out(mesh: Deployment) -> None:
    mesh.must_still_work()  # over a connection that is kept, and may have to be made again
    with ExitStack() as open_ones:
        crowd = [open_ones.enter_context(connect(mesh)) for _ in range(MAX_CONNECTIONS)]
        for _ in range(2):
            stayed = sum([is_well(each) for each in crowd])
            assert stayed >= MAX_CONNECTIONS - 20, "one goes for each who comes"
            for _ in range(5):
                ready = exchange(mesh, b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                assert ready.startswith(b"HTTP/1.1 200 "), ready
            eventually(mesh.works, 5, "a good call")
