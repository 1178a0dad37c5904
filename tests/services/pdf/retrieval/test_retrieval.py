"""PDF_EMBED and PDF_SEARCH by meaning as a caller sees them."""

import math
import struct
from base64 import b64decode
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any, cast

import grpc
import orjson
import pytest

from papermesh.pdf.v1 import pdf_service_pb2
from papermesh.pdf.v1.embed_pb2 import EmbedRequest, EmbedResponse
from services.base.blobs import BlobStore
from services.base.server import Hosted
from services.base.testing import envoy_metadata, serving
from services.pdf.embedding.embedding import Embedding
from services.pdf.embedding.endpoint import Endpoint
from services.pdf.engine import Engine
from services.pdf.retrieval.retrieval import Retrieval
from services.pdf.servicer import PdfServicer
from tests.services.pdf.pictures import settings

SERVICE = pdf_service_pb2.DESCRIPTOR.services_by_name["PdfService"]


async def test_vectors_come_packed_or_as_lists_in_json_or_in_fields(serve: Callable[..., Any], tmp_path: Path) -> None:
    async with serve() as server:
        endpoint = Endpoint(settings(pdf_embed_url=server.url, pdf_embed_model="tiny"))
        async with aclosing(Embedding(cast("Any", None), {}, endpoint)) as embedding:
            blobs = BlobStore((tmp_path / "blobs").as_uri())
            hosted = Hosted(
                SERVICE, PdfServicer([], cast("Engine", None), blobs, retrieval=Retrieval(embedding, cast("Any", None)))
            )
            async with serving(hosted, directory=tmp_path / "certificates") as channel:
                ask = channel.unary_unary(
                    f"/{SERVICE.full_name}/Embed",
                    request_serializer=EmbedRequest.SerializeToString,
                    response_deserializer=EmbedResponse.FromString,
                )
                texts = ["aaa", "b"]
                packed = await ask(EmbedRequest(texts=texts), metadata=envoy_metadata(), timeout=30)
                as_json = (*envoy_metadata(), ("x-result", "json"))
                text = await ask(EmbedRequest(texts=texts, encoding="list"), metadata=as_json, timeout=30)
                short = await ask(EmbedRequest(texts=texts), metadata=as_json, timeout=30)
                with pytest.raises(grpc.aio.AioRpcError, match="no model usem3 here") as error:
                    await ask(EmbedRequest(texts=texts, model="usem3"), metadata=envoy_metadata(), timeout=30)
                assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert (packed.model, packed.dimension, packed.json) == ("endpoint/tiny", 4, "")
    rows = [struct.unpack("<4f", each.packed) for each in packed.embeddings]
    assert [math.hypot(*row) for row in rows] == pytest.approx([1, 1])
    assert list(rows[1]) == [0.5] * 4
    listed = orjson.loads(text.json)
    assert list(listed) == ["model", "dimension", "embeddings", "failures"]
    assert [each["vector"] for each in listed["embeddings"]] == [pytest.approx(row) for row in rows]
    assert [struct.unpack("<4f", b64decode(each["packed"])) for each in orjson.loads(short.json)["embeddings"]] == rows
