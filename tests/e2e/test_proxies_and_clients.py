"""Other people's proxies before the adapter, and clients that offer to go on in another protocol."""

import hashlib
import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from pathlib import Path

import pytest

from tests.e2e.support import proxies
from tests.e2e.support.adapter import Adapter
from tests.e2e.support.deployment import Deployment
from tests.support.pdfs import pdf_bytes
from tests.support.programs import needed

POST_JAVA = Path(__file__).with_name("support") / "Post.java"
MARK = b"what only bob may see"
BOBS_KEY = "Bearer pm_what-only-bob-has"
ROUNDS = 3
LARGE = 8_000_000
"""Bytes of a document that takes a moment to come."""

PROXIES = {"nginx": proxies.nginx, "envoy": proxies.envoy}


@pytest.fixture(params=PROXIES)
def proxy(mesh: Deployment, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[int]:
    """The port of a proxy that keeps one connection to the adapter for everybody."""
    with PROXIES[request.param](tmp_path, mesh.stack.ports.http) as port:
        yield port


@contextmanager
def through(port: int) -> Iterator[Adapter]:
    adapter = Adapter(f"http://127.0.0.1:{port}")
    try:
        yield adapter
    finally:
        adapter.close()


def pdf(number: int) -> bytes:
    """What bob uploads: another document each time."""
    return b"%%PDF-1.4\n%d %b" % (number, MARK)


def request(line: str, *headers: str) -> bytes:
    """The head of a request of ada's."""
    return "\r\n".join([f"{line} HTTP/1.1", "Host: 127.0.0.1", *headers, "", ""]).encode()


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def answer_of(connection: socket.socket) -> tuple[int, bytes]:
    """The status and the body of what comes back."""
    response = HTTPResponse(connection)
    response.begin()
    return response.status, response.read()


def stored_with(mesh: Deployment, words: bytes) -> set[str]:
    """The digests of the small documents that have these words in them."""
    files = (path for path in mesh.stack.folders.blobs.rglob("*") if path.is_file() and path.stat().st_size < 10_000)
    return {
        hashlib.sha256(content).hexdigest() for content in (file.read_bytes() for file in files) if words in content
    }


def test_two_people_share_a_connection_of_the_proxy_and_each_gets_what_is_theirs(proxy: int) -> None:
    with through(proxy) as ada, through(proxy) as bob:
        for number in range(5):
            for adapter, name in ((ada, b"ada"), (bob, b"bob")):
                content = b"%%PDF-1.4 %d of %b" % (number, name)
                assert adapter.reference(content)["sha256"] == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("upgrade", ["h2c", "websocket"])
def test_nobodys_request_ends_in_what_another_sent_with_an_upgrade(mesh: Deployment, proxy: int, upgrade: str) -> None:
    large = mesh.adapter.reference(pdf_bytes(LARGE))["sha256"]
    swallowing = request("POST /documents", "Content-Length: 200") + b"%PDF-1.4\n"
    offer = ("Connection: Upgrade", f"Upgrade: {upgrade}", f"Content-Length: {len(swallowing)}")
    theirs = [pdf(number) for number in range(ROUNDS)]
    for document in theirs:
        with connect(proxy) as ada, through(proxy) as bob:
            ada.sendall(request(f"GET /documents/{large}", *offer))
            ada.recv(1, socket.MSG_PEEK)  # so its head has been read, and its body will come apart
            ada.sendall(swallowing)
            answer_of(ada)
            uploaded = bob.upload(document, Authorization=BOBS_KEY)
            assert uploaded.data["doc_ref"]["sha256"] == hashlib.sha256(document).hexdigest()
    assert stored_with(mesh, MARK) == {hashlib.sha256(document).hexdigest() for document in theirs}
    assert not stored_with(mesh, BOBS_KEY.encode())


def test_trailers_say_nothing_about_the_request(mesh: Deployment, proxy: int) -> None:
    document = b"%PDF-1.4 with trailers"
    chunks = b"%x\r\n%b\r\n0\r\n" % (len(document), document)
    trailers = b"Host: evil.example\r\nContent-Encoding: gzip\r\n\r\n"
    with connect(proxy) as ada:
        ada.sendall(request("POST /documents", "Transfer-Encoding: chunked") + chunks + trailers)
        status, body = answer_of(ada)
    assert (status, json.loads(body)["data"]["size"]) == (201, len(document))
    assert mesh.adapter.http.get(f"/documents/{hashlib.sha256(document).hexdigest()}").content == document


@pytest.fixture
def call(adapter: Adapter, good_document: Path) -> str:
    """A call as JSON."""
    return json.dumps({"action": "PDF_METADATA", "args": {"doc_ref": adapter.reference(good_document)}})


def run(program: Path, *arguments: str) -> str:
    """What a client prints."""
    ended = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended
    return ended.stdout


def test_javas_own_client_posts_as_it_is(mesh: Deployment, call: str) -> None:
    java = needed("java", "default-jdk-headless")
    said = run(java, "-XX:TieredStopAtLevel=1", str(POST_JAVA), f"{mesh.stack.url}/mcp/invoke", call).splitlines()
    answers = [line.partition(" ") for line in said]
    assert [(status, json.loads(body)["data"]["pages"]) for status, _, body in answers] == [("200", 3)] * 2


def test_curl_posts_with_an_offer_of_http_2(mesh: Deployment, call: str) -> None:
    curl = needed("curl", "curl")
    options = ("--http2", "-sS", "--max-time", "30", "-w", "\n%{http_code} %{http_version}", "-d", call)
    body, _, status = run(curl, *options, f"{mesh.stack.url}/mcp/invoke").rpartition("\n")
    assert (status, json.loads(body)["data"]["pages"]) == ("200 1.1", 3)
