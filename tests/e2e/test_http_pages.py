"""What the adapter serves besides calls: health, the catalogue, its own description."""

import re
import socket
from contextlib import suppress

import pytest

from tests.e2e.support.adapter import Adapter
from tests.e2e.support.deployment import Deployment


def test_the_process_says_that_it_is_alive(adapter: Adapter) -> None:
    answer = adapter.http.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"ok": True})


def test_the_adapter_says_that_the_mesh_answers(adapter: Adapter) -> None:
    answer = adapter.http.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ok": True})


def test_the_docs_load_nothing_from_elsewhere(adapter: Adapter) -> None:
    page = adapter.http.get("/docs")
    assert page.status_code == 200
    assert not re.findall(r"""(?:src|href|url)\s*[=:(]\s*["']?\s*(?:https?:)?//[^"'\s)]*""", page.text)
    assets = re.findall(r"""(?:src|href)\s*=\s*["']([^"']+)["']""", page.text)
    assert assets
    for asset in assets:
        answer = adapter.http.get(asset)
        assert answer.status_code == 200, asset
        assert answer.content


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/actions", "/docs"])
def test_a_page_can_be_asked_for_its_head(adapter: Adapter, path: str) -> None:
    answer = adapter.http.head(path)
    assert (answer.status_code, answer.content) == (200, b"")


def test_the_description_tells_how_to_invoke_and_how_to_upload(adapter: Adapter) -> None:
    description = adapter.http.get("/openapi.json").json()
    assert description["openapi"].startswith("3.1")
    assert description["info"]["title"] == "Papermesh"
    invoke = description["paths"]["/mcp/invoke"]["post"]
    body = invoke["requestBody"]["content"]["application/json"]["schema"]
    assert body["required"] == ["action"]
    assert {"200", "default"} <= invoke["responses"].keys()
    assert "post" in description["paths"]["/documents"]
    assert "get" in description["paths"]["/actions"]


def test_every_operation_of_the_description_has_a_summary_and_an_answer(adapter: Adapter) -> None:
    description = adapter.http.get("/openapi.json").json()
    operations = [operation for path in description["paths"].values() for operation in path.values()]
    assert len(operations) >= 6
    for operation in operations:
        assert operation["summary"]
        assert operation["responses"]


def test_every_reference_inside_the_description_leads_somewhere(adapter: Adapter) -> None:
    page = adapter.http.get("/openapi.json")
    for pointer in re.findall(r'"\$ref"\s*:\s*"([^"]+)"', page.text):
        assert pointer.startswith("#/")
        place = page.json()
        for step in pointer[2:].split("/"):
            place = place[step]


def test_the_catalogue_lists_what_can_be_invoked_with_schemas(mesh: Deployment) -> None:
    answer = mesh.adapter.request("GET", "/actions")
    answer.must_be_well_formed()
    actions = {action["name"]: action for action in answer.data["actions"]}
    assert {"PDF_METADATA", "PDF_OUTLINE", "PDF_TEXT"} <= actions.keys()
    text = actions["PDF_TEXT"]
    assert text["description"]
    assert text["args_schema"]["required"] == ["doc_ref"]
    assert {"doc_ref", "pages", "ocr", "languages", "include_hidden"} == text["args_schema"]["properties"].keys()
    assert {"items", "pages", "failures"} <= text["result_schema"]["properties"].keys()
    assert (text["timeout_s"], text["rate"]) == (10, {"requests_per_minute": 60, "burst": 10})


@pytest.mark.parametrize(
    "words",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"BREW /coffee HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x00" * 5000,
        b"GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X-Long: " + b"x" * 200_000 + b"\r\n\r\n",
    ],
    ids=["tls", "unknown-method", "http2", "zeros", "bad-length", "long-header"],
)
def test_what_is_no_http_harms_nobody(mesh: Deployment, words: bytes) -> None:
    with socket.create_connection(("127.0.0.1", mesh.stack.ports.http), timeout=10) as connection:
        received = b""
        with suppress(OSError):  # it may be refused, and the connection ended, before all is sent
            connection.sendall(words)
            connection.shutdown(socket.SHUT_WR)
        with suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                received += piece
    assert not received or received.startswith(b"HTTP/1.1 4"), received[:200]
