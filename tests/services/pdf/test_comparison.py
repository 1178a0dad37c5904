"""Two documents compared by the service: read, looked at and compared by confined workers."""

import io
from collections.abc import AsyncIterator, Awaitable, Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias

import grpc
import pytest
from PIL import Image

from papermesh.pdf.v1 import diff_pb2 as pb
from papermesh.pdf.v1 import pdf_service_pb2
from services.base.blobs import BlobStore, Namespace
from services.base.server import Hosted
from services.base.status import decode
from services.base.testing import envoy_metadata, serving
from services.pdf.comparison import Comparison
from services.pdf.operations import OPERATIONS, STEPS
from services.pdf.processes.kinds import OCR, TEXT, Kind
from services.pdf.processes.pools import Pools
from services.pdf.reader import Reader
from services.pdf.recognition import Recognition
from services.pdf.servicer import PdfServicer
from services.pdf.worker.mupdf import pymupdf
from tests.services.pdf.support import make_engine, no_readings

SERVICE = pdf_service_pb2.DESCRIPTOR.services_by_name["PdfService"]
FIRST = "The supplier delivers the goods within thirty days of the order. Payment is due at once."
SECOND = "Both parties keep what they learn from each other secret. The courts of the seller decide."

Diff: TypeAlias = Callable[..., Awaitable[pb.DiffResponse]]
MakePdf: TypeAlias = Callable[..., Path]


@pytest.fixture
async def diff(tmp_path: Path) -> AsyncIterator[Diff]:
    """Asks the service what changed between two files."""
    blobs = BlobStore((tmp_path / "blobs").as_uri())
    views = [each for each in (*OPERATIONS, *STEPS) if each.kind == TEXT]
    async with Pools(
        [Kind(size=2), Kind(name=OCR, missing="Nothing is recognised here.")], views, tmp_path / "work"
    ) as pools:
        kept = no_readings()
        recognition = Recognition(pools, kept)
        comparison = Comparison(pools, recognition, Reader(pools, recognition, kept), "pdf-1")
        servicer = PdfServicer([], make_engine(pools), blobs, comparison=comparison)
        async with serving(Hosted(SERVICE, servicer), directory=tmp_path / "certificates") as channel:
            ask = channel.unary_unary(
                f"/{SERVICE.full_name}/Diff",
                request_serializer=pb.DiffRequest.SerializeToString,
                response_deserializer=pb.DiffResponse.FromString,
            )

            async def run(left: Path, right: Path, **fields: Any) -> pb.DiffResponse:
                request = pb.DiffRequest(**fields)
                for reference, document in ((request.left, left), (request.right, right)):
                    digest = sha256(document.read_bytes()).hexdigest()
                    await blobs.put(Namespace.UPLOADS, digest, document)
                    reference.type, reference.sha256 = "UPLOAD", digest
                answer: pb.DiffResponse = await ask(request, metadata=envoy_metadata(), timeout=30)  # type: ignore[misc]
                return answer

            yield run


async def test_a_changed_word_is_shown_on_both_sides_and_nothing_else(diff: Diff, make_pdf: MakePdf) -> None:
    later = FIRST.replace("thirty", "sixty")
    old, new = make_pdf(FIRST, SECOND, name="old.pdf"), make_pdf(later, SECOND, name="new.pdf")
    answer = await diff(old, new)
    [change] = answer.changes
    assert (change.op, change.left.text, change.right.text) == ("modify", "thirty", "sixty")
    [region] = change.right.regions
    assert (region.page, later[region.span.start : region.span.end]) == (1, "sixty")
    assert (answer.relation, answer.complete, answer.engine) == ("revision", True, "pdf-1")
    assert (answer.left.pages_compared, answer.summary.changes) == (2, 1)
    assert answer.message.startswith("Nothing else changed: ")


async def test_a_file_saved_anew_has_no_change_and_one_file_is_the_same_as_itself(
    diff: Diff, make_pdf: MakePdf
) -> None:
    old, again = make_pdf(FIRST, name="old.pdf"), make_pdf(FIRST, name="again.pdf", deflate=True, garbage=3)
    answer = await diff(old, again)
    assert (answer.relation, len(answer.changes), answer.complete) == ("same_content", 0, True)
    assert (await diff(old, old)).relation == "same_bytes"


async def test_other_documents_are_told_as_that_without_a_list(diff: Diff, make_pdf: MakePdf) -> None:
    answer = await diff(make_pdf(FIRST, name="old.pdf"), make_pdf("Quite another text, about apples.", name="new.pdf"))
    assert (answer.relation, list(answer.changes)) == ("different", [])


async def test_only_the_pages_that_were_asked_for_are_compared(diff: Diff, make_pdf: MakePdf) -> None:
    old, new = make_pdf(FIRST, SECOND, name="old.pdf"), make_pdf(FIRST, "Something else.", name="new.pdf")
    answer = await diff(old, new, left_pages="1", right_pages="1")
    assert (len(answer.changes), answer.left.pages, answer.left.pages_compared) == (0, 2, 1)


async def test_a_page_that_nobody_could_read_is_named_and_nothing_is_called_complete(
    diff: Diff, make_pdf: MakePdf, tmp_path: Path
) -> None:
    with pymupdf.open() as document:
        document.new_page().insert_text((72, 72), FIRST)
        page = document.new_page()
        page.insert_image(page.rect, stream=noise(600, 800))
        document.save(tmp_path / "scan.pdf")
    answer = await diff(make_pdf(FIRST, name="old.pdf"), tmp_path / "scan.pdf")
    assert [each.page for each in answer.right.unreadable] == [2]
    assert not answer.complete
    assert "1 pages could not be read" in answer.message


async def test_a_picture_whose_pixels_changed_is_a_change_unless_only_text_is_asked_for(
    diff: Diff, tmp_path: Path
) -> None:
    paths = [tmp_path / "old.pdf", tmp_path / "packed.pdf", tmp_path / "new.pdf"]
    pictures = [noise(120, 90), noise(120, 90, kind="TIFF"), noise(120, 90, seed=2)]
    for path, picture in zip(paths, pictures, strict=True):
        with pymupdf.open() as document:
            page = document.new_page()
            page.insert_text((72, 72), FIRST)
            page.insert_image((72, 200, 192, 290), stream=picture)
            document.save(path)
    old, packed, new = paths
    [change] = (await diff(old, new)).changes
    assert (change.kind, [each.page for each in change.right.regions]) == ("image", [1])
    assert not (await diff(old, new, mode="text")).changes
    assert not (await diff(old, packed)).changes, "packed otherwise, its pixels are the same"


async def test_what_is_ignored_and_more_than_is_asked_for_is_left_out(diff: Diff, make_pdf: MakePdf) -> None:
    old = make_pdf(FIRST, SECOND, name="old.pdf")
    new = make_pdf(
        FIRST.replace("goods", "Goods").replace("thirty", "sixty"), SECOND.replace("secret", "hidden"), name="new.pdf"
    )
    everything = await diff(old, new)
    assert [each.right.text for each in everything.changes] == ["Goods", "sixty", "hidden."]
    listed = await diff(old, new, max_changes=1)
    assert (len(listed.changes), listed.truncated) == (1, True)
    assert listed.summary.changes == everything.summary.changes
    assert [each.right.text for each in (await diff(old, new, ignore=["case"])).changes] == ["sixty", "hidden."]
    summary = await diff(old, new, output="summary")
    assert (len(summary.changes), summary.summary.changes) == (0, everything.summary.changes)


async def test_more_pages_than_a_call_may_ask_for_are_refused(diff: Diff, make_pdf: MakePdf) -> None:
    long = make_pdf(*map(str, range(151)), name="long.pdf")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await diff(make_pdf(FIRST), long)
    assert decode(caught.value).code == "TOO_LARGE"


def noise(width: int, height: int, *, seed: int = 1, kind: str = "PNG") -> bytes:
    """A picture of nothing."""
    pixels = bytes((x * 7919 * seed + y * 104729 * seed) % 251 for y in range(height) for x in range(width))
    file = io.BytesIO()
    Image.frombytes("L", (width, height), pixels).convert("RGB").save(file, kind)
    return file.getvalue()


async def test_a_document_that_cannot_be_read_is_named_by_its_side(diff: Diff, make_pdf: MakePdf) -> None:
    plain = make_pdf(FIRST, name="plain.pdf")
    locked = make_pdf(SECOND, name="locked.pdf", encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="sesame")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await diff(plain, locked)
    error = decode(refused.value)
    assert error.message.startswith("right: The document is encrypted.")
    assert (error.details["reason"], error.details["document"]) == ("encrypted", "right")


@pytest.mark.parametrize("pages", ["9", "3-1"])
async def test_pages_that_are_not_there_are_named_by_their_argument(diff: Diff, make_pdf: MakePdf, pages: str) -> None:
    one, other = make_pdf(FIRST, name="one.pdf"), make_pdf(SECOND, name="other.pdf")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await diff(one, other, right_pages=pages)
    error = decode(refused.value)
    assert [each.field for each in error.violations] == ["right_pages"]
    assert error.message.startswith("right_pages: ")
