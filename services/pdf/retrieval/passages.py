"""The chunks of a document as vectors: what PDF_EMBED gives of them, and what PDF_SEARCH ranks by their meaning."""

import asyncio
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple

from google.protobuf import json_format

from papermesh.pdf.v1 import chunk_pb2
from services.pdf.embedding.embedding import Embedding
from services.pdf.embedding.vectors import NoVectorError, Vectors, cut
from services.pdf.engine import Engine
from services.pdf.operations import OPERATIONS, Pages
from services.pdf.processes import outcomes
from services.pdf.processes.subject import Subject, nothing
from services.pdf.reader import kept_document
from services.pdf.readings.readings import Readings

_CHUNK = next(each for each in OPERATIONS if each.name == "chunk")
_WHOLE = replace(_CHUNK, pages=Pages(in_call=500, all_at_once=True))
"""For a search: more pages than chunks may be asked for, since only a few come back."""


_BLOCK = 32
"""Chunks whose vectors are kept together: some seconds of a model's work at most."""


class Passages(NamedTuple):
    """The chunks of some pages, and their vectors."""

    chunks: Sequence[chunk_pb2.TextChunk]
    vectors: Vectors
    found: chunk_pb2.ChunkResponse


class PassageMaker:
    """Cuts documents with `engine`, and has their chunks read by `embedding`; vectors are kept in `readings`."""

    def __init__(self, engine: Engine, embedding: Embedding, readings: Readings) -> None:
        self._engine = engine
        self._embedding = embedding
        self._readings = readings

    async def of(self, request: Any, subject: Subject, timeout_s: float) -> Passages:
        """Those of the pages that an EmbedRequest names.

        Raises PapermeshError as `Engine.answer` and `Embedding.vectors` do.
        """
        asked = chunk_pb2.ChunkRequest(pages=request.pages, max_chars=request.max_chars)
        return await self._make(_CHUNK, asked, request.model, subject, timeout_s)

    async def of_search(self, request: Any, subject: Subject, timeout_s: float) -> Passages:
        """Those of the pages that a SearchRequest names; raises as `of` does."""
        asked = chunk_pb2.ChunkRequest(pages=request.pages, ocr=request.ocr, languages=request.languages)
        return await self._make(_WHOLE, asked, "", subject, timeout_s)

    async def _make(
        self, operation: Any, asked: chunk_pb2.ChunkRequest, model: str, subject: Subject, timeout_s: float
    ) -> Passages:
        deadline = asyncio.get_running_loop().time() + timeout_s
        result = await self._engine.answer(operation, asked, subject, timeout_s)
        try:
            found = json_format.Parse(result.json, chunk_pb2.ChunkResponse())
        except (UnicodeDecodeError, json_format.ParseError):
            raise outcomes.engine_failed("crash") from None
        vectors = await self._vectors([said(chunk) for chunk in found.chunks], model, subject, deadline)
        return Passages(found.chunks, vectors, found)

    async def _vectors(self, texts: Sequence[str], model: str, subject: Subject, deadline: float) -> Vectors:
        """The vectors of the texts: those that are kept, and new ones, which are kept as they are made.

        So a call that ends at its deadline was not for nothing: the same one again goes on.
        """
        chosen, document = self._embedding.choose(model), kept_document(subject)
        digest = hashlib.sha256("\0".join([chosen.id, *texts]).encode()).hexdigest()
        blocks = [texts[start : start + _BLOCK] for start in range(0, len(texts), _BLOCK)]
        kind = f"vectors-{digest}"
        kept = await self._readings.find(document, range(len(blocks)), kind, shared=False) if document else {}
        # No worker that has seen the document: its model workers are asked about texts alone.
        asker = Subject("", nothing, subject.flow, subject.request_id)
        rows: list[bytes] = []
        for place, block in enumerate(blocks):
            if place in kept:
                with suppress(NoVectorError):  # then they are made anew, and kept in place of these
                    rows += cut(kept[place], chosen.dimension, len(block))
                    continue
            made = await self._embedding.vectors(block, model, "passage", asker, deadline)
            rows += made.rows
            if document:
                self._readings.keep_soon(document, kind, {place: b"".join(made.rows)})
        return Vectors(chosen.id, chosen.dimension, rows)


def said(chunk: chunk_pb2.TextChunk) -> str:
    """What is embedded of a chunk: what stands above it tells what it is about."""
    above = " > ".join(chunk.heading_path)
    return f"{above}\n{chunk.text}" if above and not chunk.text.startswith(above) else chunk.text
