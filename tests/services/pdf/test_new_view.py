"""A new view of a document is one module, `sheets.py`, and one entry, below."""

from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from pathlib import Path

import grpc
import orjson
import pytest

from papermesh.pdf.v1 import pdf_service_pb2 as pb
from services.base.blobs import BlobStore, Namespace
from services.base.server import Hosted
from services.base.testing import envoy_metadata, serving
from services.pdf.operations import OPERATIONS, READ, Operation, Pages
from services.pdf.processes.kinds import Kind
from services.pdf.processes.pools import Pools
from services.pdf.servicer import PdfServicer
from tests.services.pdf.support import make_engine

SERVICE = pb.DESCRIPTOR.services_by_name["PdfService"]

SHEETS = Operation(
    name="sheets",
    method=SERVICE.methods_by_name["ExtractLayout"],
    view="tests.services.pdf.sheets:describe",
    arguments=lambda _request, _subject: {"ocr": "never", "languages": [], "per_point": 2},
    pages=Pages(in_call=9, in_part=2),
    warm_up={"per_point": 1},
)


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore((tmp_path / "blobs").as_uri())


@pytest.fixture
async def channel(tmp_path: Path, blobs: BlobStore) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to a server that has the new operation beside the others."""
    operations = [*OPERATIONS, SHEETS]
    async with Pools([Kind(size=2)], [*operations, READ], tmp_path / "work") as pools:
        servicer = PdfServicer(operations, make_engine(pools), blobs)
        async with serving(Hosted(SERVICE, servicer), directory=tmp_path / "certificates") as channel:
            yield channel


async def test_it_is_served_of_pages_that_several_workers_read(
    channel: "grpc.aio.Channel", blobs: BlobStore, make_pdf: Callable[..., Path]
) -> None:
    document = make_pdf(*"abcde")
    digest = sha256(document.read_bytes()).hexdigest()
    await blobs.put(Namespace.UPLOADS, digest, document)
    ask = channel.unary_unary(
        f"/{SERVICE.full_name}/{SHEETS.method.name}",
        request_serializer=pb.ExtractLayoutRequest.SerializeToString,
        response_deserializer=pb.ExtractLayoutResponse.FromString,
    )
    request = pb.ExtractLayoutRequest(pages="1-3,5")
    request.doc_ref.type, request.doc_ref.sha256 = "UPLOAD", digest

    answered = await ask(request, metadata=envoy_metadata(), timeout=30)
    assert [(page.page, page.width, page.height) for page in answered.pages] == [
        (page, 2 * 595, 2 * 842) for page in (1, 2, 3, 5)
    ]
    assert answered.json == ""

    text = await ask(request, metadata=(*envoy_metadata(), ("x-result", "json")), timeout=30)
    assert [page["page"] for page in orjson.loads(text.json)["pages"]] == [1, 2, 3, 5]
    assert list(orjson.loads(text.json)) == ["pages", "failures"]

    request.pages = "9"
    with pytest.raises(grpc.aio.AioRpcError, match="page 9 is not in the document"):
        await ask(request, metadata=envoy_metadata(), timeout=30)
