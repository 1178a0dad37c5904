"""Pictures: given out, drawn again, or not there; with a real store, and a router that draws."""

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import orjson
import pytest
from google.protobuf.message import Message

from services.base import actions
from services.base.blobs import BlobStore
from services.base.call import Call
from services.base.errors import Code, PapermeshError
from services.base.image_id import ImageId
from services.base.page_images import Drawn, PageImages
from services.base.redis.link import RedisLink
from services.base.stored_blob import Key, Namespace
from services.dispatch.admission.clients import Client
from services.dispatch.admission.concurrency import ConcurrencyLimit
from services.dispatch.admission.verification import Caller
from services.dispatch.answers.images import Image, Images
from services.dispatch.router import Router, ServiceResult
from services.dispatch.uploads.lost_documents import LostDocuments
from services.dispatch.uploads.ownership import Ownership, Quota
from services.dispatch.uploads.retention import Retention
from tests.support.clients import REPORTS_ID, REPORTS_KEY

CALL = Call("/x", (), "request-1", 20.0, "00-1-2-00")
ARGUMENTS: dict[str, object] = {"page": 3, "dpi": 50, "format": "webp"}


def caller(*allowed: str) -> Caller:
    key = {"id": "k", "secret": REPORTS_KEY.secret.hex()[:43]}
    fields = {"id": "reports", "keys": [key], "certificate": REPORTS_ID, "actions": allowed or ["*"]}
    entry = Client.model_validate(fields)
    return Caller(entry, "kim", os.urandom(12).hex(), int(time.time()))


class Drawing:
    """A router behind which another version draws what it is asked."""

    def __init__(self, images: PageImages) -> None:
        self.actions = actions.load().listed(["papermesh.pdf.v1.PdfService"])
        self.asked: list[Message] = []
        self.error: PapermeshError | None = None
        self._images = images

    async def call(self, action: Any, request: Any, *_rest: Any) -> ServiceResult:
        assert action.name == "PDF_PAGE_IMAGE"
        self.asked.append(request)
        if self.error:
            raise self.error
        image = ImageId.make(b"n" * 32, Key(Namespace.UPLOADS, request.doc_ref.sha256), b"new")
        await self._images.put(image, Drawn("webp", ARGUMENTS), b"drawn again")
        return ServiceResult(orjson.dumps({"image_id": str(image)}).decode(), "pdf-2")


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(f"file://{tmp_path}/blobs")


@pytest.fixture
def drawing(blobs: BlobStore) -> Drawing:
    return Drawing(PageImages(blobs))


@pytest.fixture
def images(link: RedisLink, blobs: BlobStore, drawing: Drawing) -> Images:
    return Images(blobs, cast("Router", drawing), ConcurrencyLimit(1, 1), LostDocuments(link, blobs))


@pytest.fixture
async def image(link: RedisLink, blobs: BlobStore, tmp_path: Path) -> ImageId:
    """A picture of a document that the caller holds."""
    content, file = os.urandom(100), tmp_path / "file"
    file.write_bytes(content)
    document = Key(Namespace.UPLOADS, hashlib.sha256(content).hexdigest())
    await Ownership(link, blobs, Quota(10**9, 10)).store(caller(), document.sha256, len(content), file)
    made = ImageId.make(b"k" * 32, document, b"old")
    await PageImages(blobs).put(made, Drawn("webp", ARGUMENTS), b"picture")
    return made


async def got(images: Images, image: object, who: Caller) -> Image:
    async with images.opened(str(image), who, CALL) as found:
        return found


async def refused(images: Images, image: object, who: Caller) -> PapermeshError:
    with pytest.raises(PapermeshError) as caught:
        await got(images, image, who)
    return caught.value


async def test_a_picture_is_given_out_as_it_was_drawn(images: Images, image: ImageId, drawing: Drawing) -> None:
    found = await got(images, image, caller())
    assert (found.format, found.content) == ("webp", b"picture")
    assert drawing.asked == []


async def test_one_whose_bytes_went_is_drawn_again(
    images: Images, image: ImageId, drawing: Drawing, blobs: BlobStore
) -> None:
    await PageImages(blobs).forget_bytes(image.document, time.time() + 100)
    found = await got(images, image, caller())
    assert (found.format, found.content) == ("webp", b"drawn again")
    [asked] = drawing.asked
    assert (asked.page, asked.dpi, asked.doc_ref.type) == (3, 50, "UPLOAD")  # type: ignore[attr-defined]
    assert asked.doc_ref.sha256 == image.document.sha256  # type: ignore[attr-defined]


async def test_what_the_drawing_answers_is_told(
    images: Images, image: ImageId, drawing: Drawing, blobs: BlobStore
) -> None:
    await PageImages(blobs).forget_bytes(image.document, time.time() + 100)
    drawing.error = PapermeshError(Code.TOO_LARGE, "Too large.")
    assert (await refused(images, image, caller())).code is Code.TOO_LARGE


@pytest.mark.parametrize("text", ["", "img_", "x", "img_" + "A" * 64, "\ud800"])
async def test_what_is_no_picture_is_not_found(images: Images, text: str) -> None:
    assert (await refused(images, text, caller())).code is Code.NOT_FOUND


async def test_one_that_there_is_not_is_not_found(images: Images, image: ImageId) -> None:
    other = ImageId.make(b"o" * 32, image.document, b"old")
    assert (await refused(images, other, caller())).code is Code.NOT_FOUND


async def test_who_may_not_have_pages_drawn_sees_none(images: Images, image: ImageId) -> None:
    assert (await refused(images, image, caller("PDF_TEXT"))).code is Code.NOT_FOUND


async def test_a_record_that_means_something_else_is_not_found(
    images: Images, image: ImageId, blobs: BlobStore
) -> None:
    await PageImages(blobs).put(image, Drawn("webp", {"colour": "red"}), b"x")
    await PageImages(blobs).forget_bytes(image.document, time.time() + 100)
    assert (await refused(images, image, caller())).code is Code.NOT_FOUND


async def test_it_takes_a_place_of_the_callers(images: Images, image: ImageId) -> None:
    async with images.opened(str(image), caller(), CALL):
        assert (await refused(images, image, caller())).code is Code.RATE_LIMIT
    assert (await got(images, image, caller())).content == b"picture"


async def test_without_a_service_that_draws_there_are_none(link: RedisLink, blobs: BlobStore, image: ImageId) -> None:
    router = cast("Router", type("Router", (), {"actions": MappingProxyType({})})())
    images = Images(blobs, router, ConcurrencyLimit(1, 1), LostDocuments(link, blobs))
    assert (await refused(images, image, caller())).code is Code.NOT_FOUND


def test_only_an_upload_is_asked_for_its_right(image: ImageId) -> None:
    elsewhere = image._replace(document=Key(Namespace.GITLAB, image.document.sha256))
    assert Images.reference(str(image)).sha256 == image.document.sha256
    assert Images.reference(str(elsewhere)).sha256 == Images.reference("x").sha256 == "0" * 64


class TestPicturesGo:
    async def test_with_their_document(self, link: RedisLink, blobs: BlobStore, image: ImageId) -> None:
        await Ownership(link, blobs, Quota(10**9, 10)).release(caller(), image.document.sha256)
        assert await blobs.images.names(image.document) == {}

    async def test_with_the_retention_when_their_document_is_gone(
        self, link: RedisLink, blobs: BlobStore, image: ImageId
    ) -> None:
        await blobs.delete(*image.document)
        await Retention(link, blobs, 3600).sweep()
        assert await blobs.images.names(image.document) == {}

    async def test_after_a_day_but_for_their_records(
        self, link: RedisLink, blobs: BlobStore, image: ImageId, tmp_path: Path, age: Callable[[Path, float], None]
    ) -> None:
        await Retention(link, blobs, 3600 * 24 * 30).sweep()
        assert await PageImages(blobs).content(image) == b"picture"
        for file in (tmp_path / "blobs" / "images").rglob("*"):
            age(file, 25 * 3600)
        await Retention(link, blobs, 3600 * 24 * 30).sweep()
        assert (await PageImages(blobs).content(image), await PageImages(blobs).record(image)) == (
            None,
            Drawn("webp", ARGUMENTS),
        )


@pytest.fixture
def age() -> Callable[[Path, float], None]:
    """Makes a file look as if it was written so many seconds ago."""

    def run(file: Path, seconds: float) -> None:
        os.utime(file, (time.time() - seconds,) * 2)

    return run
