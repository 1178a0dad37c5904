"""Pictures of pages, the list of documents and tickets, over real Envoy and Redis, with two adapters and two pdf."""

import base64
import io
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest
from PIL import Image

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from services.pdf.worker.mupdf import pymupdf
from tests.e2e.support.caller import Caller
from tests.e2e.support.deployment import RATES_OUT_OF_THE_WAY, Deployment, deployed
from tests.support.disks import files_in

MARK = {"x0": 72, "y0": 60, "x1": 300, "y1": 120, "color": "#ff0000"}


@pytest.fixture(scope="module")
def shared(good_document: Path) -> Iterator[Deployment]:
    with deployed(good_document, replicas={"adapter": 2, "pdf": 2}, **RATES_OUT_OF_THE_WAY) as deployment:
        yield deployment


@pytest.fixture
def mesh(shared: Deployment) -> Iterator[Deployment]:
    yield shared
    shared.must_still_work()
    shared.must_have_met_no_bug()


def new_document(password: str = "") -> bytes:
    """A document that nobody has seen."""
    how = {"encryption": pymupdf.PDF_ENCRYPT_AES_256, "user_pw": password, "owner_pw": password} if password else {}
    with pymupdf.open() as document:
        for number in range(2):
            document.new_page().insert_text((72, 100), f"Page {number} of {secrets.token_hex(8)}")
        content: bytes = document.tobytes(**how)
        return content


def image(image_id: str, actor: str = "") -> pb.GetImageRequest:
    return pb.GetImageRequest(image_id=image_id, actor=actor)


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content)).convert("RGB")


def test_a_page_is_drawn_and_fetched(mesh: Deployment) -> None:
    answer = mesh.adapter.ask("PDF_PAGE_IMAGE", new_document(), page=2, dpi=72, boxes=[MARK])
    made = answer.data
    assert list(made) == ["url", "width", "height", "format", "base64", "page", "dpi", "size", "image_id"]
    assert (made["width"], made["height"], made["page"], made["base64"]) == (595, 842, 2, "")
    response = mesh.adapter.http.get(made["url"])
    assert (response.status_code, response.headers["content-type"]) == (200, "image/png")
    assert len(response.content) == made["size"]
    picture = opened(response.content)
    assert picture.size == (595, 842)
    assert picture.getpixel((71, 90)) == (255, 0, 0)
    again = mesh.adapter.http.get(made["url"], headers={"If-None-Match": response.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_small_picture_comes_along_on_request(mesh: Deployment) -> None:
    made = mesh.adapter.ask("PDF_PAGE_IMAGE", new_document(), format="webp", inline=True).data
    assert opened(base64.b64decode(made["base64"])).size == (827, 1170)
    assert mesh.adapter.http.get(made["url"]).content == base64.b64decode(made["base64"])


def test_one_whose_bytes_went_is_drawn_again(mesh: Deployment) -> None:
    made = mesh.adapter.ask("PDF_PAGE_IMAGE", new_document(), boxes=[MARK]).data
    before = mesh.adapter.http.get(made["url"])
    for file in files_in(mesh.stack.folders.blobs / "images"):
        if file.parent.name == "bytes":
            file.unlink()
    assert opened(mesh.adapter.http.get(made["url"]).content).tobytes() == opened(before.content).tobytes()


def test_a_picture_goes_with_its_document(mesh: Deployment) -> None:
    reference = mesh.adapter.reference(new_document())
    url = mesh.adapter.invoke("PDF_PAGE_IMAGE", {"doc_ref": reference}).data["url"]
    assert mesh.adapter.request("DELETE", f"/documents/{reference['sha256']}").ok
    mesh.adapter.request("GET", url).must_be("NOT_FOUND", says="There is no such picture")
    assert not [file for file in files_in(mesh.stack.folders.root) if reference["sha256"] in str(file)]


def test_nothing_stays_of_a_document_that_takes_a_password(mesh: Deployment) -> None:
    reference = mesh.adapter.reference(new_document("geheim-1"))
    answer = mesh.adapter.invoke("PDF_PAGE_IMAGE", {"doc_ref": {**reference, "password": "geheim-1"}})
    assert (answer.data["url"], answer.data["image_id"], answer.meta["cache"]) == ("", "", "none")
    assert opened(base64.b64decode(answer.data["base64"])).size == (827, 1170)
    stored = [file for file in files_in(mesh.stack.folders.blobs) if reference["sha256"] in str(file)]
    assert [file.relative_to(mesh.stack.folders.blobs).parts[0] for file in stored] == ["uploads"]
    mesh.adapter.invoke("PDF_PAGE_IMAGE", {"doc_ref": reference}).must_be("BAD_ARG", reason="encrypted")


@pytest.mark.parametrize(
    ("args", "field"),
    [
        ({"dpi": 0}, "dpi"),
        ({"dpi": 201}, "dpi"),
        ({"page": 0}, "page"),
        ({"page": 99}, "page"),
        ({"format": "gif"}, "format"),
        ({"boxes": [{**MARK, "x0": 5000, "x1": 6000}]}, "boxes[0]"),
        ({"boxes": [{**MARK, "color": "red"}]}, "boxes[0].color"),
        ({"boxes": [{**MARK, "x0": 400}]}, "boxes[0]"),
        ({"boxes": [MARK] * 201}, "boxes"),
    ],
)
def test_wrong_arguments_are_named(mesh: Deployment, args: dict[str, object], field: str) -> None:
    mesh.adapter.ask("PDF_PAGE_IMAGE", mesh.good_document, **args).must_be("BAD_ARG", field=field)


def test_a_page_of_five_metres_is_too_large_and_told_what_fits(mesh: Deployment) -> None:
    with pymupdf.open() as document:
        document.new_page(width=14_173, height=14_173)
        content = document.tobytes()
    mesh.adapter.ask("PDF_PAGE_IMAGE", content).must_be("TOO_LARGE", says="Ask for at most 20 dpi")
    assert mesh.adapter.ask("PDF_PAGE_IMAGE", content, dpi=20).data["width"] == 3937


class TestSomebodyElses:
    def test_is_as_little_there_as_nobodys(self, mesh: Deployment) -> None:
        operator = mesh.caller("operator")
        reference = operator.put(new_document(), "alice")
        made = operator.invoke("PDF_PAGE_IMAGE", {"doc_ref": reference}, "alice")
        header, *data = operator.call("GetImage", image(made["image_id"], "alice"))
        assert (header.header.format, header.header.size) == ("png", made["size"])
        assert b"".join(each.data for each in data).startswith(b"\x89PNG")
        theirs = operator.refusal("GetImage", image(made["image_id"], "bob"))
        nobodys = operator.refusal("GetImage", image("img_" + "A" * 64, "bob"))
        missing = operator.refusal("GetImage", image(made["image_id"][:-4] + "AAAA", "alice"))
        for each in (theirs, nobodys, missing):
            each.must_be("NOT_FOUND", says="There is no such picture")
        assert theirs.message == nobodys.message == missing.message
        assert theirs.details == nobodys.details == missing.details == {}

    @pytest.mark.measures_time
    def test_takes_as_long_as_nobodys(self, mesh: Deployment) -> None:
        operator = mesh.caller("operator")
        made = operator.invoke("PDF_PAGE_IMAGE", {"doc_ref": operator.put(new_document(), "alice")}, "alice")
        times: dict[str, list[float]] = {made["image_id"]: [], "img_" + "A" * 64: []}
        for _ in range(60):
            for image_id, taken in times.items():
                began = time.perf_counter()
                operator.refusal("GetImage", image(image_id, "bob"))
                taken.append(time.perf_counter() - began)
        theirs, nobodys = map(median, times.values())
        assert abs(theirs - nobodys) < 0.5 * max(theirs, nobodys)


def test_ones_own_documents_are_listed_and_nobody_elses(mesh: Deployment) -> None:
    references = [mesh.adapter.reference(new_document()) for _ in range(3)]
    other = mesh.caller("operator").put(new_document(), "alice")
    found, token = [], ""
    while True:
        page = mesh.adapter.request("GET", "/documents", params={"page_size": 2, "page_token": token}).data
        found += [each["doc_ref"] for each in page["documents"]]
        token = page["next_page_token"]
        if not token:
            break
    assert found[:3] == references[::-1]
    assert other not in found
    assert mesh.adapter.invoke("PDF_METADATA", {"doc_ref": found[0]}).data["pages"] == 2
    mesh.adapter.request("GET", "/documents?page_size=0").must_be("BAD_ARG", field="page_size")
    mesh.adapter.request("GET", "/documents?page_token=x").must_be("BAD_ARG", field="page_token")


def test_a_ticket_is_good_once_whichever_adapter_opens_it(mesh: Deployment) -> None:
    url = mesh.adapter.ask("PDF_PAGE_IMAGE", new_document()).data["url"]
    for path in [url] * 8:
        made = mesh.adapter.request("POST", "/tickets", json={"path": path}).data
        assert made["expires_in_s"] == 60
        opened_by = [mesh.adapter.http.get(made["url"], headers={"Connection": "close"}) for _ in range(4)]
        assert [each.status_code for each in opened_by] == [200, 401, 401, 401]
        assert opened_by[0].content.startswith(b"\x89PNG")
        assert "POST /tickets gives another" in opened_by[1].json()["error"]["message"]


def test_a_ticket_opens_a_download_too(mesh: Deployment) -> None:
    content = new_document()
    path = f"/documents/{mesh.adapter.reference(content)['sha256']}"
    made = mesh.adapter.request("POST", "/tickets", json={"path": path}).data
    assert mesh.adapter.http.get(made["url"]).content == content


def test_the_audit_log_has_a_picture_and_whose_document_it_shows(mesh: Deployment) -> None:
    operator: Caller = mesh.caller("operator")
    reference = operator.put(new_document(), "alice")
    made = operator.invoke("PDF_PAGE_IMAGE", {"doc_ref": reference}, "alice")
    operator.call("GetImage", image(made["image_id"], "alice"))
    logs = "".join(file.read_text() for file in files_in(mesh.stack.folders.audit))
    (line,) = [each for each in logs.splitlines() if "GetImage" in each and reference["sha256"] in each]
    assert '"actor":"alice"' in line.replace(" ", "")
    assert made["image_id"] not in line
