"""PDF_EMBED: the vectors of texts that belong to no document."""

import asyncio

from papermesh.pdf.v1.embed_pb2 import Embedding as Embedded
from papermesh.pdf.v1.embed_pb2 import EmbedRequest, EmbedResponse
from services.base import results
from services.base.call import Call
from services.base.flow import Flow
from services.pdf.embedding.embedding import Embedding
from services.pdf.embedding.models import Role
from services.pdf.embedding.vectors import unpack
from services.pdf.processes.subject import Subject, nothing


async def answer(embedding: Embedding, request: EmbedRequest, call: Call) -> EmbedResponse:
    """The response to a request; raises PapermeshError as `Embedding.vectors` does."""
    deadline = asyncio.get_running_loop().time() + call.timeout_s
    subject = Subject("", nothing, Flow.read(call.metadata), call.request_id)
    role: Role = "query" if request.role == "query" else "passage"
    vectors = await embedding.vectors(request.texts, request.model, role, subject, deadline)
    as_list = request.encoding == "list"
    embeddings = [Embedded(vector=unpack(row)) if as_list else Embedded(packed=row) for row in vectors.rows]
    return results.answer(EmbedResponse(model=vectors.model, dimension=vectors.dimension, embeddings=embeddings), call)
