"""What is answered with vectors: those of texts and of a document's chunks, and the chunks closest to a question."""

import asyncio
from typing import Any

from papermesh.pdf.v1 import chunk_pb2, embed_pb2, search_pb2
from services.base.errors import bad_field
from services.base.flow import Flow
from services.pdf.embedding.embedding import Embedding
from services.pdf.embedding.models import Role
from services.pdf.embedding.vectors import Vectors, unpack
from services.pdf.pages import expression_of
from services.pdf.processes.subject import Subject, nothing
from services.pdf.retrieval.passages import PassageMaker, Passages
from services.pdf.retrieval.ranking import Ranked, rank

_HITS = 20
_MOST_TEXT = 2_000
"""Characters of a hit."""

_MOST_BOXES = 50


class Retrieval:
    """Answers with `embedding`, and with the `passages` of documents."""

    def __init__(self, embedding: Embedding, passages: PassageMaker) -> None:
        self._embedding = embedding
        self._passages = passages

    async def embed_texts(
        self, request: embed_pb2.EmbedRequest, flow: Flow, request_id: str, timeout_s: float
    ) -> embed_pb2.EmbedResponse:
        """The vectors of given texts. Raises PapermeshError as `Embedding.vectors` does."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        role: Role = "query" if request.role == "query" else "passage"
        asker = Subject("", nothing, flow, request_id)
        vectors = await self._embedding.vectors(request.texts, request.model, role, asker, deadline)
        embeddings = [_embedded(row, request) for row in vectors.rows]
        return embed_pb2.EmbedResponse(model=vectors.model, dimension=vectors.dimension, embeddings=embeddings)

    async def embed_chunks(
        self, request: embed_pb2.EmbedRequest, subject: Subject, timeout_s: float
    ) -> embed_pb2.EmbedResponse:
        """The vectors of a document's chunks. Raises PapermeshError as `PassageMaker.of` does."""
        if request.role == "query":
            raise bad_field("role", "is passage for the chunks of a document")
        made = await self._passages.of(request, subject, timeout_s)
        embeddings = [_embedded(row, request, chunk) for chunk, row in zip(made.chunks, made.vectors.rows, strict=True)]
        return embed_pb2.EmbedResponse(
            model=made.vectors.model,
            dimension=made.vectors.dimension,
            embeddings=embeddings,
            failures=made.found.failures,
        )

    async def search(self, request: Any, subject: Subject, timeout_s: float) -> search_pb2.SearchResponse:
        """The chunks closest to the query, the best first.

        Raises PapermeshError as `PassageMaker.of_search` does, and BAD_ARG for what this mode has not.
        """
        if request.page_token or request.include_hidden:
            raise bad_field("page_token" if request.page_token else "include_hidden", 'is not for mode "meaning"')
        if not request.query.strip():
            raise bad_field("query", "has nothing to look for")
        deadline = asyncio.get_running_loop().time() + timeout_s
        made = await self._passages.of_search(request, subject, timeout_s)
        asker = Subject("", nothing, subject.flow, subject.request_id)
        asked = await self._embedding.vectors([request.query], "", "query", asker, deadline)
        # Ranking takes up to a second of a large document, and others wait for this loop.
        ranked = await asyncio.to_thread(_rank, request.query, made, asked)
        most = request.max_hits if request.HasField("max_hits") else _HITS
        return search_pb2.SearchResponse(
            hits=[_hit(made.chunks[each.place], each.score) for each in ranked[:most]],
            total=len(made.chunks),
            searched_pages=expression_of([start.page for start in made.found.page_starts]),
            pages=made.found.pages,
            failures=made.found.failures,
        )


def _embedded(
    row: bytes, request: embed_pb2.EmbedRequest, chunk: chunk_pb2.TextChunk | None = None
) -> embed_pb2.Embedding:
    if request.encoding == "list":
        return embed_pb2.Embedding(chunk=chunk, vector=unpack(row))
    return embed_pb2.Embedding(chunk=chunk, packed=row)


def _rank(query: str, made: Passages, asked: Vectors) -> list[Ranked]:
    vectors = map(unpack, made.vectors.rows)  # one at a time: as numbers of Python they take eight times the room
    return rank(query, [chunk.text for chunk in made.chunks], unpack(asked.rows[0]), vectors, asked.model)


def _hit(chunk: chunk_pb2.TextChunk, score: float) -> search_pb2.SearchHit:
    boxes = [search_pb2.SearchBox(page=box.page, bbox=box.bbox) for box in chunk.boxes[:_MOST_BOXES]]
    return search_pb2.SearchHit(
        page=chunk.first_page,
        boxes=boxes,
        text=chunk.text[:_MOST_TEXT],
        heading_path=chunk.heading_path,
        score=score,
    )
