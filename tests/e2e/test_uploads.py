"""Documents on their way in and out over HTTP: whole, broken off, mislabelled, too large."""

import base64
import hashlib
import json
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.support.adapter import Adapter
from tests.e2e.support.caller import pieces
from tests.e2e.support.deployment import SMALL_LIMIT, Deployment
from tests.e2e.support.waiting import eventually
from tests.support.pdfs import pdf_bytes

OVERHEAD = 64 * 1024
"""What a form's boundaries and headers may add."""


def spooled(mesh: Deployment) -> list[Path]:
    """Uploads that wait in a folder of the adapter or of dispatch."""
    return [*mesh.stack.folders.spool("adapter").iterdir(), *mesh.stack.folders.spool("dispatch").iterdir()]


def spool_bytes(mesh: Deployment) -> int:
    """Bytes in files that the adapter has open in its spool folder and that have no name."""
    folder = Path("/proc", str(mesh.stack.part("adapter").pid), "fd")
    spool = str(mesh.stack.folders.spool("adapter"))
    links = [(each, each.readlink()) for each in folder.iterdir() if each.is_symlink()]
    return sum(each.stat().st_size for each, target in links if str(target).startswith(spool))


def stored(mesh: Deployment, content: bytes) -> list[Path]:
    """The files of the blob store that hold these bytes."""
    files = [file for file in mesh.stack.folders.blobs.rglob("*") if file.is_file()]
    return [file for file in files if file.stat().st_size == len(content) and file.read_bytes() == content]


def exchange(mesh: Deployment, *words: bytes, close: bool = False) -> bytes:
    """Sends bytes to the adapter over a connection of their own, and returns what comes back until it ends."""
    with socket.create_connection(("127.0.0.1", mesh.stack.ports.http), timeout=20) as connection:
        for each in words:
            connection.sendall(each)
        if close:
            return b""
        received = b""
        while piece := connection.recv(65536):
            received += piece
        return received


def head(*headers: str) -> bytes:
    """The head of an upload."""
    return "\r\n".join(["POST /documents HTTP/1.1", "Host: localhost", *headers, "", ""]).encode()


def test_an_upload_is_answered_with_a_reference_that_calls_can_use(mesh: Deployment) -> None:
    content = mesh.good_document.read_bytes()
    answer = mesh.adapter.upload(content)
    answer.must_be_well_formed()
    assert answer.status == 201
    digest = hashlib.sha256(content).hexdigest()
    assert answer.data == {"doc_ref": {"type": "UPLOAD", "sha256": digest}, "size": len(content)}
    assert mesh.adapter.invoke("PDF_METADATA", {"doc_ref": answer.data["doc_ref"]}).data["sha256"] == digest


def test_a_document_comes_back_as_it_went(mesh: Deployment) -> None:
    content = pdf_bytes(3_000_001)
    reference = mesh.adapter.reference(content)
    answer = mesh.adapter.http.get(f"/documents/{reference['sha256']}")
    assert answer.status_code == 200
    assert answer.content == content
    assert answer.headers["content-length"] == str(len(content))
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_document_that_nobody_uploaded_is_not_found(adapter: Adapter) -> None:
    adapter.request("GET", "/documents/" + "ab" * 32).must_be("NOT_FOUND", says="upload")


@pytest.mark.parametrize("digest", ["abc", "A" * 64, "g" * 64, "0" * 63, "0" * 65])
def test_a_digest_that_cannot_be_one_is_refused(adapter: Adapter, digest: str) -> None:
    adapter.request("GET", f"/documents/{digest}").must_be("BAD_ARG", field="sha256")


def test_the_same_bytes_twice_are_stored_once(mesh: Deployment) -> None:
    content = pdf_bytes(50_000)
    first, second = mesh.adapter.upload(content), mesh.adapter.upload(content)
    assert first.data == second.data
    assert len(stored(mesh, content)) == 1


def test_a_multipart_upload_is_the_same_document(mesh: Deployment) -> None:
    content = mesh.good_document.read_bytes()
    answer = mesh.adapter.request(
        "POST", "/documents", files={"file": ("휴가.pdf", content, "application/pdf")}, data={"note": "for Ada"}
    )
    answer.must_be_well_formed()
    assert answer.data["doc_ref"] == mesh.adapter.reference(content)


def test_a_form_is_one_however_its_type_is_spelt(mesh: Deployment) -> None:
    content = pdf_bytes(1000)
    form = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n' + content + b"\r\n--x--\r\n"
    answer = mesh.adapter.upload(form, Content_Type="Multipart/Form-Data; boundary=x")
    assert answer.data["size"] == len(content)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--data-binary", "@{}"], ""),
        (["--form", "file=@{}"], ""),
        (["--upload-file", "{}", "--request", "POST"], ""),
        (["--data", "@{}"], "cut"),
        (["--data", "@{}", "--header", "Content-Type: application/pdf"], "cut"),
        (["--data-urlencode", "@{}"], "not_pdf"),
    ],
)
def test_curl_is_told_when_it_sends_something_else_than_the_file(
    mesh: Deployment, options: list[str], reason: str
) -> None:
    url = f"http://127.0.0.1:{mesh.stack.ports.http}/documents"
    words = [option.format(mesh.good_document) for option in options]
    command = ["curl", "--silent", "--noproxy", "*", "--max-time", "30", *words, url]
    answer = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    if reason:
        assert (answer["error"]["code"], answer["error"]["details"]["reason"]) == ("BAD_ARG", reason)
        assert "--data-binary" in answer["error"]["message"]
    else:
        assert answer["data"]["size"] == mesh.good_document.stat().st_size


def test_an_upload_under_way_has_no_name_to_be_left_behind(mesh: Deployment) -> None:
    half = pdf_bytes(500_000)
    with socket.create_connection(("127.0.0.1", mesh.stack.ports.http), timeout=20) as connection:
        connection.sendall(head("Content-Length: 1000000") + half)
        eventually(lambda: spool_bytes(mesh) >= len(half) // 2, what="the first half")
        assert not list(mesh.stack.folders.spool("adapter").iterdir())


@pytest.mark.parametrize(
    "form",
    [
        {"files": {"a": b"one", "b": b"two"}},
        {"files": {"a": b""}},
        {"content": b"--x\r\n", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        {"content": b"no form at all", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        {"content": b"--x--\r\n", "headers": {"Content-Type": "multipart/form-data"}},
        {"content": b"", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        {
            "content": b'--x\r\nContent-Disposition: form-data; name="note"\r\n\r\nno file\r\n--x--\r\n',
            "headers": {"Content-Type": "multipart/form-data; boundary=x"},
        },
    ],
    ids=["two-files", "empty-file", "cut", "no-form", "no-boundary", "nothing", "no-file"],
)
def test_a_form_without_exactly_one_file_is_refused(adapter: Adapter, form: dict[str, object]) -> None:
    adapter.request("POST", "/documents", **form).must_be("BAD_ARG")


@pytest.mark.parametrize("content", [b"", iter([])], ids=["no-length", "no-pieces"])
def test_an_empty_upload_is_refused(adapter: Adapter, content: bytes | Iterator[bytes]) -> None:
    adapter.upload(content).must_be("BAD_ARG", says="empty")


def test_a_digest_that_fits_is_taken_and_another_is_refused(mesh: Deployment) -> None:
    content, other = pdf_bytes(1000), pdf_bytes(1000)

    def digest(of: bytes) -> str:
        return f"sha-256=:{base64.b64encode(hashlib.sha256(of).digest()).decode()}:"

    assert mesh.adapter.upload(content, Content_Digest=digest(content)).ok
    mesh.adapter.upload(other, Content_Digest=digest(content)).must_be("BAD_ARG", field="Content-Digest")
    assert stored(mesh, other) == []


def test_an_upload_that_breaks_off_half_way_leaves_nothing_behind(mesh: Deployment) -> None:
    half = pdf_bytes(500_000)
    exchange(mesh, head("Content-Length: 1000000"), half, close=True)
    eventually(lambda: not spooled(mesh), what="tidying up")
    assert stored(mesh, half) == []


def test_a_chunked_upload_that_breaks_off_leaves_nothing_behind(mesh: Deployment) -> None:
    half = pdf_bytes(100_000)
    chunk = b"%x\r\n%b\r\n" % (len(half), half)
    exchange(mesh, head("Transfer-Encoding: chunked"), chunk, close=True)
    eventually(lambda: not spooled(mesh), what="tidying up")
    assert stored(mesh, half) == []


def test_a_form_that_breaks_off_leaves_nothing_behind(mesh: Deployment) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n' + pdf_bytes(50_000)
    exchange(mesh, head("Content-Length: 90000", "Content-Type: multipart/form-data; boundary=x"), part, close=True)
    eventually(lambda: not spooled(mesh), what="tidying up")


def test_what_stands_behind_the_announced_length_belongs_to_no_document(mesh: Deployment) -> None:
    content, more = pdf_bytes(1000), b"and more bytes than were announced\r\n\r\n"
    # The rest is no second request, so the connection ends with the answer to the first.
    received = exchange(mesh, head("Content-Length: 1000"), content + more)
    assert received.startswith(b"HTTP/1.1 201")
    assert b"connection: close" in received.lower()
    assert stored(mesh, content + more) == []


def test_two_lengths_that_contradict_each_other_are_refused(mesh: Deployment) -> None:
    received = exchange(mesh, head("Content-Length: 10", "Transfer-Encoding: chunked"), b"5\r\nhello\r\n0\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 400")


def test_a_length_over_the_limit_is_refused_before_the_document_comes(modest_mesh: Deployment) -> None:
    received = exchange(modest_mesh, head(f"Content-Length: {SMALL_LIMIT + OVERHEAD + 1}", "Connection: close"))
    assert received.startswith(b"HTTP/1.1 413")
    assert b'"code":"TOO_LARGE"' in received
    assert b'"limit_bytes":"300000"' in received


def test_an_upload_over_the_limit_is_refused(modest_mesh: Deployment) -> None:
    answer = modest_mesh.adapter.upload(pdf_bytes(SMALL_LIMIT + 1))
    answer.must_be("TOO_LARGE", says=f"{SMALL_LIMIT} bytes", limit_bytes=str(SMALL_LIMIT))


def test_an_upload_over_the_limit_that_announces_no_length_is_refused(modest_mesh: Deployment) -> None:
    answer = modest_mesh.adapter.upload(iter(pieces(pdf_bytes(SMALL_LIMIT + 1), 10_000)))
    answer.must_be("TOO_LARGE", limit_bytes=str(SMALL_LIMIT))


def test_a_file_of_a_form_over_the_limit_is_refused(modest_mesh: Deployment) -> None:
    answer = modest_mesh.adapter.request("POST", "/documents", files={"file": pdf_bytes(SMALL_LIMIT + 1)})
    answer.must_be("TOO_LARGE", limit_bytes=str(SMALL_LIMIT))


def test_a_file_of_an_endless_form_is_refused(modest_mesh: Deployment) -> None:
    def endless() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n%PDF-1.7\n'
        for _ in range(10_000):
            yield b"0" * 65_536

    answer = modest_mesh.adapter.request(
        "POST", "/documents", content=endless(), headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    answer.must_be("TOO_LARGE", limit_bytes=str(SMALL_LIMIT))


def test_an_upload_of_just_the_limit_is_taken(modest_mesh: Deployment) -> None:
    content = pdf_bytes(SMALL_LIMIT)
    assert modest_mesh.adapter.upload(content).data["size"] == SMALL_LIMIT
    assert modest_mesh.adapter.request("POST", "/documents", files={"file": content}).data["size"] == SMALL_LIMIT


def test_nothing_of_a_refused_upload_stays_in_a_folder(modest_mesh: Deployment) -> None:
    modest_mesh.adapter.upload(pdf_bytes(SMALL_LIMIT + 1)).must_be("TOO_LARGE")
    eventually(lambda: not spooled(modest_mesh), what="tidying up")
