"""A page's picture from the service: kept, named, or told at once."""

import base64
from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from pathlib import Path

import grpc
import orjson
import pytest

from papermesh.pdf.v1 import page_image_pb2 as pb
from papermesh.pdf.v1 import pdf_service_pb2
from services.base import page_images
from services.base.blobs import BlobStore, Namespace
from services.base.errors import Code, PapermeshError
from services.base.image_id import ImageId
from services.base.server import Hosted
from services.base.stored_blob import Key
from services.base.testing import envoy_metadata, serving
from services.pdf.operations import OPERATIONS
from services.pdf.page_images import KeptImages
from services.pdf.processes.kinds import Kind
from services.pdf.processes.pools import Pools
from services.pdf.processes.subject import Subject
from services.pdf.servicer import PdfServicer
from services.pdf.worker.mupdf import pymupdf
from tests.services.pdf.support import make_engine

OPENS = "open"
SERVICE = pdf_service_pb2.DESCRIPTOR.services_by_name["PdfService"]


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore((tmp_path / "blobs").as_uri())


@pytest.fixture
async def draw(tmp_path: Path, blobs: BlobStore) -> AsyncIterator[Callable[..., object]]:
    """Asks the service for a picture of a document."""
    async with Pools([Kind(size=1)], OPERATIONS, tmp_path / "work") as pools:
        finish = {"RenderPage": KeptImages(blobs, "pdf-1").answer}
        servicer = PdfServicer(OPERATIONS, make_engine(pools), blobs, finish=finish)
        async with serving(Hosted(SERVICE, servicer), directory=tmp_path / "certificates") as channel:
            ask = channel.unary_unary(
                f"/{SERVICE.full_name}/RenderPage",
                request_serializer=pb.RenderPageRequest.SerializeToString,
                response_deserializer=pb.RenderPageResponse.FromString,
            )

            async def run(
                document: Path, *, password: str = "", metadata: object = (), **fields: object
            ) -> pb.RenderPageResponse:
                digest = sha256(document.read_bytes()).hexdigest()
                await blobs.put(Namespace.UPLOADS, digest, document)
                request = pb.RenderPageRequest(**fields)  # type: ignore[arg-type]
                request.doc_ref.type, request.doc_ref.sha256, request.doc_ref.password = "UPLOAD", digest, password
                answer: pb.RenderPageResponse = await ask(
                    request,
                    metadata=(*envoy_metadata(), *metadata),  # type: ignore[misc]
                    timeout=30,
                )
                return answer

            yield run


async def test_a_picture_is_kept_where_its_id_says(
    draw: Callable[..., object], blobs: BlobStore, make_pdf: Callable[..., Path]
) -> None:
    document = make_pdf("One.", "Two.")
    boxes = [pb.DrawnBox(x0=10, y0=10, x1=90, y1=50)]
    answer = await draw(document, page=2, dpi=50, format="webp", boxes=boxes)  # type: ignore[misc]
    assert (answer.url, answer.base64, answer.page, answer.dpi) == (f"/images/{answer.image_id}", "", 2, 50)
    image = ImageId.read(answer.image_id)
    assert image is not None
    assert image.document == Key(Namespace.UPLOADS, sha256(document.read_bytes()).hexdigest())
    kept = page_images.PageImages(blobs)
    content = await kept.content(image)
    assert content is not None
    assert content[:4] + content[8:12] == b"RIFFWEBP"
    assert len(content) == answer.size
    record = await kept.record(image)
    assert record is not None
    box = {"x0": 10, "y0": 10, "x1": 90, "y1": 50, "color": "#e00070"}
    assert record.arguments == {"page": 2, "dpi": 50, "format": "webp", "boxes": [box]}


async def test_a_small_one_stands_in_the_answer_if_asked_for(
    draw: Callable[..., object], make_pdf: Callable[..., Path]
) -> None:
    document = make_pdf("One.")
    answer = await draw(document, inline=True)  # type: ignore[misc]
    assert base64.b64decode(answer.base64).startswith(b"\x89PNG")
    assert answer.url
    assert (answer.page, answer.dpi, answer.format) == (1, 100, "png"), "the defaults"


async def test_a_large_one_does_not(
    draw: Callable[..., object], make_pdf: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.pdf.page_images.INLINE_BYTES", 100)
    answer = await draw(make_pdf("One."), inline=True)  # type: ignore[misc]
    assert (answer.base64, answer.url != "") == ("", True)


async def test_equal_questions_have_one_picture_and_others_have_others(
    draw: Callable[..., object], make_pdf: Callable[..., Path]
) -> None:
    document = make_pdf("One.", "Two.")
    box = pb.DrawnBox(x0=10, y0=10, x1=90, y1=50)
    questions = [{}, {"page": 2}, {"dpi": 101}, {"format": "webp"}, {"boxes": [box]}]
    ids = [(await draw(document, **each)).image_id for each in questions]  # type: ignore[misc]
    assert len(set(ids)) == len(ids)
    again = await draw(document, page=1, dpi=100, format="png", inline=True)  # type: ignore[misc]
    assert again.image_id == ids[0]


async def test_nothing_is_kept_of_a_document_that_takes_a_password(
    draw: Callable[..., object], blobs: BlobStore, make_pdf: Callable[..., Path]
) -> None:
    document = make_pdf("Secret.", encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw=OPENS, owner_pw="own")
    answer = await draw(document, password=OPENS)  # type: ignore[misc]
    assert (answer.url, answer.image_id) == ("", "")
    assert base64.b64decode(answer.base64).startswith(b"\x89PNG"), "there is no other way to it"
    assert await blobs.images.names(Key(Namespace.UPLOADS, sha256(document.read_bytes()).hexdigest())) == {}
    with pytest.raises(grpc.aio.AioRpcError, match="encrypted"):
        await draw(document)  # type: ignore[misc]


async def test_as_json_it_has_all_fields_in_the_protos_order(
    draw: Callable[..., object], make_pdf: Callable[..., Path]
) -> None:
    answer = await draw(make_pdf("One."), metadata=[("x-result", "json")])  # type: ignore[misc]
    names = [field.name for field in pb.RenderPageResponse.DESCRIPTOR.fields]
    assert [*orjson.loads(answer.json), "json"] == names


@pytest.mark.parametrize("said", [b"", b"[]", b"{}", b'{"base64": 1}', b'{"base64": "x"}', b'{"base64": ""}'])
async def test_a_worker_that_answers_otherwise_has_crashed(blobs: BlobStore, said: bytes) -> None:
    async def place(_path: Path) -> None:
        raise AssertionError

    with pytest.raises(PapermeshError) as caught:
        await KeptImages(blobs, "pdf-1").answer(pb.RenderPageRequest(), Subject("ab" * 32, place), said)
    assert caught.value.code is Code.ENGINE_FAIL
