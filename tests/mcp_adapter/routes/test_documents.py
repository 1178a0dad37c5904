"""Uploads and downloads."""

import asyncio
import base64
import errno
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from mcp_adapter.http.concurrency import DOWNLOADS, UPLOADS
from services.base.errors import ACTOR_RATE, Code, PapermeshError, rate_limited
from services.base.own_faults import Disk, disk_fault
from services.base.spool_file import SpoolFile
from tests.mcp_adapter.conftest import LIMIT, Dispatch
from tests.support.disks import needs_root, small_disk
from tests.support.pdfs import pdf_bytes

CONTENT = b"%PDF-1.7 nothing more"
SHA = hashlib.sha256(CONTENT).hexdigest()
PDF = {"file": ("a.pdf", CONTENT, "application/pdf")}


def digest(content: bytes) -> dict[str, str]:
    return {"Content-Digest": f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"}


FORM = {"Content-Type": "multipart/form-data; boundary=b"}


def part(options: bytes, content: bytes) -> bytes:
    return b'--b\r\nContent-Disposition: form-data; name="f"' + options + b"\r\n\r\n" + content + b"\r\n"


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


@pytest.fixture(autouse=True)
def no_leftovers(client: httpx.AsyncClient, spool_dir: Path) -> Iterator[None]:
    """Nothing may be left in the spool folder, whatever became of the upload."""
    assert client is not None
    yield
    assert not list(spool_dir.iterdir())


class TestUpload:
    async def test_as_a_raw_body_answers_with_the_reference(
        self, client: httpx.AsyncClient, dispatch: Dispatch
    ) -> None:
        response = await client.post("/documents", content=CONTENT)
        assert response.status_code == 201
        assert response.json()["data"] == {"doc_ref": {"type": "UPLOAD", "sha256": SHA}, "size": len(CONTENT)}
        assert response.json()["meta"]["request_id"] == "r-2"
        assert dispatch.documents == {SHA: CONTENT}

    async def test_as_a_form_answers_with_the_reference(self, client: httpx.AsyncClient, dispatch: Dispatch) -> None:
        response = await client.post("/documents", files=PDF, data={"note": "x"})
        assert (response.status_code, response.json()["data"]["doc_ref"]["sha256"]) == (201, SHA)
        assert dispatch.documents == {SHA: CONTENT}

    @pytest.mark.parametrize("form", [False, True])
    async def test_of_the_largest_document_is_taken(
        self, client: httpx.AsyncClient, dispatch: Dispatch, *, form: bool
    ) -> None:
        content = pdf_bytes(LIMIT)
        body = {"files": {"file": ("a.pdf", content)}} if form else {"content": content}
        response = await client.post("/documents", **body)  # type: ignore[arg-type]
        assert response.status_code == 201
        assert list(dispatch.documents.values()) == [content]

    @pytest.mark.parametrize("form", [False, True])
    @pytest.mark.parametrize("size", [LIMIT + 1, LIMIT + 500_000])
    async def test_over_the_limit_is_too_large(
        self, client: httpx.AsyncClient, dispatch: Dispatch, size: int, *, form: bool
    ) -> None:
        body = {"files": {"file": ("a.pdf", pdf_bytes(size))}} if form else {"content": pdf_bytes(size)}
        response = await client.post("/documents", **body)  # type: ignore[arg-type]
        assert code(response) == (413, "TOO_LARGE")
        assert response.json()["error"]["details"] == {"limit_bytes": str(LIMIT)}
        assert not dispatch.calls

    @pytest.mark.parametrize("form", [False, True])
    async def test_of_unknown_length_is_cut_off_at_the_limit(
        self, client: httpx.AsyncClient, dispatch: Dispatch, *, form: bool
    ) -> None:
        sent = 0

        async def endless() -> AsyncIterator[bytes]:
            nonlocal sent
            if form:
                yield b'--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n'
            while sent < 50 * LIMIT:
                sent += 100_000
                yield pdf_bytes(100_000)

        headers = {"Content-Type": "multipart/form-data; boundary=b"} if form else {}
        response = await client.post("/documents", content=endless(), headers=headers)
        assert code(response) == (413, "TOO_LARGE")
        assert not dispatch.calls

    @pytest.mark.parametrize("form", [False, True])
    async def test_of_nothing_is_refused(self, client: httpx.AsyncClient, *, form: bool) -> None:
        body = {"files": {"file": ("a.pdf", b"")}} if form else {"content": b""}
        response = await client.post("/documents", **body)  # type: ignore[arg-type]
        assert code(response) == (400, "BAD_ARG")
        assert "empty" in response.json()["error"]["message"]

    @pytest.mark.parametrize("form", [False, True])
    async def test_with_its_digest_is_checked(
        self, client: httpx.AsyncClient, dispatch: Dispatch, *, form: bool
    ) -> None:
        body = {"files": PDF} if form else {"content": CONTENT}
        good = await client.post("/documents", headers=digest(CONTENT), **body)  # type: ignore[arg-type]
        assert good.status_code == 201
        wrong = await client.post("/documents", headers=digest(b"other"), **body)  # type: ignore[arg-type]
        assert code(wrong) == (400, "BAD_ARG")
        assert wrong.json()["error"]["details"]["fields"][0]["field"] == "Content-Digest"
        assert len(dispatch.calls) == 1

    @pytest.mark.parametrize("header", [f"sha-256={hashlib.sha256(CONTENT).hexdigest()}", "SHA-256=:", "sha-256"])
    async def test_with_a_digest_that_cannot_be_read_is_refused_and_not_taken_unchecked(
        self, client: httpx.AsyncClient, dispatch: Dispatch, header: str
    ) -> None:
        response = await client.post("/documents", headers={"Content-Digest": header}, content=CONTENT)
        assert code(response) == (400, "BAD_ARG")
        assert "Base64" in response.json()["error"]["message"]
        assert not dispatch.calls

    async def test_with_a_digest_of_another_kind_is_taken(self, client: httpx.AsyncClient) -> None:
        other = {"Content-Digest": f"sha-512=:{base64.b64encode(hashlib.sha512(CONTENT).digest()).decode()}:"}
        assert (await client.post("/documents", headers=other, content=CONTENT)).status_code == 201

    async def test_of_several_files_is_refused(self, client: httpx.AsyncClient) -> None:
        files = [("file", ("a.pdf", CONTENT)), ("file", ("b.pdf", CONTENT))]
        assert code(await client.post("/documents", files=files)) == (400, "BAD_ARG")

    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            ("multipart/form-data", b"x"),
            ("multipart/form-data; boundary=", b"x"),
            ("multipart/form-data; boundary=b", b""),
            ("multipart/form-data; boundary=b", b"no form at all"),
            (
                "multipart/form-data; boundary=b",
                b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b--\r\n',
            ),
            ("multipart/form-data; boundary=b", b"--b\r\nnonsense\r\n\r\nx\r\n--b--\r\n"),
            ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"),
        ],
    )
    async def test_as_a_form_without_a_file_is_refused(
        self, client: httpx.AsyncClient, dispatch: Dispatch, content_type: str, body: bytes
    ) -> None:
        response = await client.post("/documents", content=body, headers={"Content-Type": content_type})
        assert code(response) == (400, "BAD_ARG")
        assert not dispatch.calls

    @pytest.mark.parametrize("kind", ["Multipart/Form-Data", "MULTIPART/FORM-DATA ", "multipart/form-data\t"])
    async def test_as_a_form_is_one_however_it_is_spelt(
        self, client: httpx.AsyncClient, dispatch: Dispatch, kind: str
    ) -> None:
        content = part(b'; filename="a.pdf"', CONTENT) + b"--b--\r\n"
        response = await client.post("/documents", content=content, headers={"Content-Type": f"{kind};Boundary=b"})
        assert response.status_code == 201
        assert dispatch.documents == {SHA: CONTENT}

    async def test_of_a_type_that_only_begins_like_a_form_is_a_raw_body(
        self, client: httpx.AsyncClient, dispatch: Dispatch
    ) -> None:
        headers = {"Content-Type": "multipart/form-data-not; boundary=b"}
        assert (await client.post("/documents", content=CONTENT, headers=headers)).status_code == 201
        assert dispatch.documents == {SHA: CONTENT}

    @pytest.mark.parametrize(
        ("body", "says"),
        [
            (part(b'; filename="a"', CONTENT) + b"--b", "closing boundary"),
            (part(b"", b"x") * 9 + part(b'; filename="a"', CONTENT) + b"--b--\r\n", "8 fields"),
            (part(b"", bytes(70_000)) + part(b'; filename="a"', CONTENT) + b"--b--\r\n", "besides its file"),
            (part(b'; filename="a"', CONTENT) * 2 + b"--b--\r\n", "exactly one file"),
            (part(b'; filename="a"', CONTENT) + b"--b--\r\n" + bytes(70_000), "besides its file"),
            (b"--b\r\n" + b"X: 1\r\n" * 1000, "cannot be read"),
            (b"--b\r\n" + b"X: " + b"x" * 10_000, "cannot be read"),
        ],
    )
    async def test_as_a_form_that_is_broken_says_what_is_wrong(
        self, client: httpx.AsyncClient, dispatch: Dispatch, body: bytes, says: str
    ) -> None:
        response = await client.post("/documents", content=body, headers=FORM)
        assert code(response) == (400, "BAD_ARG")
        assert says in response.json()["error"]["message"]
        assert not dispatch.calls

    async def test_has_no_name_in_any_folder(
        self, client: httpx.AsyncClient, spool_dir: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        other = tmp_path / "temporary"
        other.mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(other))
        seen: list[list[Path]] = []

        async def large() -> AsyncIterator[bytes]:
            yield b'--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n%PDF-1.7\n'
            for _ in range(9):
                yield bytes(100_000)
                seen.append([*spool_dir.iterdir(), *other.iterdir()])
            yield b"\r\n--b--\r\n"

        assert (await client.post("/documents", content=large(), headers=FORM)).status_code == 201
        assert seen == [[]] * 9

    async def test_is_told_to_wait_while_all_of_the_same_actors_are_under_way(self, client: httpx.AsyncClient) -> None:
        begun, go_on = asyncio.Semaphore(0), asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            begun.release()
            yield CONTENT
            await go_on.wait()

        others = [asyncio.create_task(client.post("/documents", content=slow())) for _ in range(UPLOADS.of_actor)]
        for _ in others:
            await begun.acquire()
        refused = await client.post("/documents", content=CONTENT)
        assert code(refused) == (429, "RATE_LIMIT")
        assert refused.json()["error"]["retry_after_ms"] == 1000
        go_on.set()
        assert {(await each).status_code for each in others} == {201}
        assert (await client.post("/documents", content=CONTENT)).status_code == 201

    @pytest.mark.parametrize("form", [False, True])
    async def test_of_what_is_no_pdf_is_refused_when_its_first_bytes_have_come(
        self, client: httpx.AsyncClient, dispatch: Dispatch, *, form: bool
    ) -> None:
        sent = 0

        async def endless() -> AsyncIterator[bytes]:
            nonlocal sent
            if form:
                yield b'--b\r\nContent-Disposition: form-data; name="f"; filename="a.pdf"\r\n\r\n'
            yield b"\x89PNG\r\n\x1a\n"
            while sent < LIMIT:
                sent += 1000
                yield bytes(1000)

        response = await client.post("/documents", content=endless(), headers=FORM if form else {})
        assert code(response) == (400, "BAD_ARG")
        assert response.json()["error"]["details"] == {"reason": "not_pdf", "kind": "png"}
        assert sent <= 3000
        assert not dispatch.calls

    async def test_of_what_is_too_short_for_that_is_refused_too(
        self, client: httpx.AsyncClient, dispatch: Dispatch
    ) -> None:
        response = await client.post("/documents", content=b"hello")
        assert response.json()["error"]["details"] == {"reason": "not_pdf", "kind": "text"}
        assert not dispatch.calls

    @needs_root
    async def test_says_that_the_spool_folder_is_full(
        self, client: httpx.AsyncClient, dispatch: Dispatch, spool_dir: Path
    ) -> None:
        with small_disk(spool_dir, 200_000):
            response = await client.post("/documents", content=pdf_bytes(300_000))
            assert code(response) == (503, "UNAVAILABLE")
            assert response.json()["error"]["details"] == {"reason": "spool_full"}
            assert (await client.post("/documents", content=CONTENT)).status_code == 201
        assert len(dispatch.calls) == 1

    async def test_makes_a_spool_folder_anew_and_says_when_it_cannot(
        self, client: httpx.AsyncClient, spool_dir: Path
    ) -> None:
        spool_dir.rmdir()
        assert (await client.post("/documents", content=CONTENT)).status_code == 201
        spool_dir.rmdir()
        spool_dir.touch()  # somebody's file in its place
        response = await client.post("/documents", content=CONTENT)
        assert code(response) == (503, "UNAVAILABLE")
        assert response.json()["error"]["details"] == {"reason": "spool_gone"}
        spool_dir.unlink()
        assert (await client.post("/documents", content=CONTENT)).status_code == 201

    async def test_says_that_the_spool_folders_disk_has_failed_when_it_is_read_back(
        self, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(_file: SpoolFile, _size: int) -> bytes:
            raise disk_fault(Disk.SPOOL, OSError(errno.EIO, "Input/output error"))

        monkeypatch.setattr(SpoolFile, "read", fails)
        response = await client.post("/documents", content=CONTENT)
        assert code(response) == (503, "UNAVAILABLE")
        assert response.json()["error"]["details"] == {"reason": "spool_failed"}

    async def test_passes_dispatchs_refusal_on(self, client: httpx.AsyncClient, dispatch: Dispatch) -> None:
        dispatch.error = PapermeshError(Code.RATE_LIMIT, "Wait.", retry_after_ms=1500)
        response = await client.post("/documents", content=CONTENT)
        assert code(response) == (429, "RATE_LIMIT")
        assert response.headers["retry-after"] == "2"


class TestDownload:
    @pytest.mark.parametrize("size", [1, 256 * 1024, 900_000])
    async def test_gives_the_bytes_and_nothing_to_guess(
        self, client: httpx.AsyncClient, dispatch: Dispatch, size: int
    ) -> None:
        content = os.urandom(size)
        sha256 = hashlib.sha256(content).hexdigest()
        dispatch.documents[sha256] = content
        response = await client.get(f"/documents/{sha256}")
        assert (response.status_code, response.content) == (200, content)
        assert response.headers["content-length"] == str(size)
        assert response.headers["content-type"] == "application/octet-stream"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["content-disposition"] == f'attachment; filename="{sha256[:16]}.pdf"'

    async def test_of_its_head_alone_tells_the_size(self, client: httpx.AsyncClient, dispatch: Dispatch) -> None:
        dispatch.documents[SHA] = CONTENT
        response = await client.head(f"/documents/{SHA}")
        assert (response.status_code, response.content) == (200, b"")
        assert response.headers["content-length"] == str(len(CONTENT))
        assert response.headers["content-type"] == "application/octet-stream"

    async def test_gives_its_place_back_however_it_ends(self, client: httpx.AsyncClient, dispatch: Dispatch) -> None:
        dispatch.documents[SHA] = CONTENT
        for number in range(4 * DOWNLOADS.of_actor):
            method, headers = ("GET", "HEAD")[number % 2], {"If-None-Match": "*"} if number % 4 > 1 else {}
            response = await client.request(method, f"/documents/{SHA}", headers=headers)
            assert response.status_code == (304 if headers else 200)

    @pytest.mark.parametrize("sha256", ["x", SHA.upper(), SHA[1:], SHA + "0", "%0a" + SHA])
    async def test_of_what_is_no_digest_is_refused(
        self, client: httpx.AsyncClient, dispatch: Dispatch, sha256: str
    ) -> None:
        assert code(await client.get(f"/documents/{sha256}")) == (400, "BAD_ARG")
        assert not dispatch.calls

    async def test_of_what_is_not_there_is_not_found(self, client: httpx.AsyncClient, dispatch: Dispatch) -> None:
        dispatch.error = PapermeshError(Code.NOT_FOUND, "There is no such document.", request_id="r-3")
        response = await client.get(f"/documents/{SHA}")
        assert code(response) == (404, "NOT_FOUND")
        assert response.json()["meta"]["request_id"] == "r-3"

    @pytest.mark.parametrize(
        "tags", [[f'"{SHA}"'], [f'W/"{SHA}"'], ['"other"', f'"{SHA}"'], [f'"other" , "{SHA}"'], ["*"]]
    )
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    async def test_of_what_the_caller_has_is_not_sent_again(
        self, client: httpx.AsyncClient, dispatch: Dispatch, tags: list[str], method: str
    ) -> None:
        dispatch.documents[SHA] = CONTENT
        whole = await client.get(f"/documents/{SHA}")
        assert (whole.headers["etag"], whole.headers["cache-control"]) == (f'"{SHA}"', "private, no-cache")
        headers = [("If-None-Match", tag) for tag in tags]
        response = await client.request(method, f"/documents/{SHA}", headers=headers)
        assert (response.status_code, response.content) == (304, b"")
        assert (response.headers["etag"], response.headers["cache-control"]) == (f'"{SHA}"', "private, no-cache")
        assert len(dispatch.calls) == 2

    @pytest.mark.parametrize("tag", ['"other"', SHA, f'"{SHA[:16]}"', ""])
    async def test_of_what_the_caller_has_not_is_sent(
        self, client: httpx.AsyncClient, dispatch: Dispatch, tag: str
    ) -> None:
        dispatch.documents[SHA] = CONTENT
        response = await client.get(f"/documents/{SHA}", headers={"If-None-Match": tag})
        assert (response.status_code, response.content) == (200, CONTENT)

    async def test_of_what_the_caller_may_not_read_tells_nothing_of_tags(
        self, client: httpx.AsyncClient, dispatch: Dispatch
    ) -> None:
        dispatch.error = PapermeshError(Code.NOT_FOUND, "There is no such document.")
        response = await client.get(f"/documents/{SHA}", headers={"If-None-Match": f'"{SHA}"'})
        assert code(response) == (404, "NOT_FOUND")
        assert "etag" not in response.headers


class TestDeletion:
    async def test_takes_the_document_away(self, client: httpx.AsyncClient, dispatch: Dispatch) -> None:
        dispatch.documents[SHA] = CONTENT
        response = await client.delete(f"/documents/{SHA}")
        assert (response.status_code, response.json()["data"]) == (200, {"deleted": True})
        assert response.json()["meta"]["request_id"] == "r-4"
        assert response.headers["cache-control"] == "no-store"
        assert not dispatch.documents
        assert dispatch.actors == ["local"]

    async def test_of_what_is_not_there_is_not_found(self, client: httpx.AsyncClient, dispatch: Dispatch) -> None:
        dispatch.error = PapermeshError(Code.NOT_FOUND, "There is no such document.")
        assert code(await client.delete(f"/documents/{SHA}")) == (404, "NOT_FOUND")

    async def test_of_what_is_no_digest_is_refused(self, client: httpx.AsyncClient, dispatch: Dispatch) -> None:
        assert code(await client.delete("/documents/x")) == (400, "BAD_ARG")
        assert not dispatch.calls


@pytest.mark.parametrize(
    ("method", "path"), [("POST", ""), ("GET", f"/{SHA}"), ("HEAD", f"/{SHA}"), ("DELETE", f"/{SHA}")]
)
async def test_whom_dispatch_refused_for_their_rate_is_refused_here_for_as_long(
    client: httpx.AsyncClient, dispatch: Dispatch, method: str, path: str
) -> None:
    dispatch.error = rate_limited(60_000, ACTOR_RATE)
    for _ in range(3):
        response = await client.request(method, f"/documents{path}", content=CONTENT if method == "POST" else None)
        assert (response.status_code, "Retry-After" in response.headers) == (429, True)
    assert len(dispatch.calls) == 1
