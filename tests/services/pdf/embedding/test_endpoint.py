"""An endpoint for embeddings, whatever it does."""

import asyncio
import base64
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from services.base.errors import Code, OperatorError, PapermeshError
from services.pdf.embedding.endpoint import BATCH, Endpoint
from services.pdf.embedding.vectors import Vectors, unpack
from tests.services.pdf.embedding.conftest import Server, http, vectors
from tests.services.pdf.pictures import settings

Serve = Callable[..., Any]


@asynccontextmanager
async def calling(server: Server, **changed: Any) -> AsyncIterator[Endpoint]:
    given = {"pdf_embed_url": server.url, "pdf_embed_model": "tiny", **changed}
    async with aclosing(Endpoint(settings(**given))) as endpoint:
        yield endpoint


async def ask(endpoint: Endpoint, *texts: str, seconds: float = 10) -> Vectors:
    return await endpoint.vectors(texts, "passage", asyncio.get_running_loop().time() + seconds)


async def refused(endpoint: Endpoint, *texts: str, seconds: float = 10) -> PapermeshError:
    with pytest.raises(PapermeshError) as error:
        await ask(endpoint, *(texts or ("a",)), seconds=seconds)
    return error.value


async def test_texts_are_sent_in_batches_and_their_vectors_come_back_in_order(serve: Serve) -> None:
    texts = ["x" * (1 + place) for place in range(2 * BATCH + 1)]
    async with serve() as server, calling(server) as endpoint:
        found = await ask(endpoint, *texts)
    assert (found.model, found.dimension, len(found.rows)) == ("endpoint/tiny", 4, len(texts))
    lengths = [row[0] / row[1] for row in map(unpack, found.rows)]
    assert lengths == pytest.approx(list(range(1, len(texts) + 1)), rel=1e-5)
    assert [len(each["input"]) for each in server.asked] == [BATCH, BATCH, 1]
    assert server.heads[0].startswith("POST /v1/embeddings ")
    assert "authorization" not in server.heads[0].lower()


async def test_the_key_comes_from_its_file(serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("s3cret\n")
    file.chmod(0o600)
    async with serve() as server, calling(server, pdf_embed_key_file=file) as endpoint:
        await ask(endpoint, "a")
    assert "authorization: bearer s3cret\r\n" in server.heads[0].lower()


async def test_vectors_in_base64_and_out_of_order_are_read_too(serve: Serve) -> None:
    def answer(_asked: object) -> bytes:
        packed = [base64.b64encode(struct.pack("<2f", *row)).decode() for row in ((0, 2), (3, 0))]
        return http({"data": [{"index": 1, "embedding": packed[0]}, {"index": 0, "embedding": packed[1]}]})

    async with serve(answer) as server, calling(server) as endpoint:
        found = await ask(endpoint, "a", "b")
    assert [unpack(row) for row in found.rows] == [[1, 0], [0, 1]]


async def test_one_that_hangs_is_left_in_time_and_not_asked_again(serve: Serve) -> None:
    async with serve(None) as server, calling(server, pdf_embed_timeout_s=0.3) as endpoint:
        error = await refused(endpoint)
        await asyncio.wait_for(server.hung_up.wait(), 10)
    assert (error.code, len(server.asked)) == (Code.TIMEOUT, 1)


async def test_the_callers_deadline_is_kept_too(serve: Serve) -> None:
    async with serve(None) as server, calling(server) as endpoint:
        assert (await refused(endpoint, seconds=0.2)).code is Code.TIMEOUT


async def test_a_429_is_passed_on_and_nobody_calls_until_its_time_is_over(serve: Serve) -> None:
    async with serve(lambda _: http({}, "429 Too Many", "Retry-After: 7")) as server, calling(server) as endpoint:
        errors = [await refused(endpoint) for _ in range(5)]
    assert {error.code for error in errors} == {Code.RATE_LIMIT}
    assert errors[0].retry_after_ms == 7000
    assert all(0 < (error.retry_after_ms or 0) <= 7000 for error in errors)
    assert len(server.asked) == 1


@pytest.mark.parametrize("retry_after", ["Retry-After: soon", "Retry-After: 999999999999", "X: 1"])
async def test_a_429_pauses_for_a_minute_at_most_whatever_it_says(serve: Serve, retry_after: str) -> None:
    async with serve(lambda _: http({}, "429 Too Many", retry_after)) as server, calling(server) as endpoint:
        assert 0 < ((await refused(endpoint)).retry_after_ms or 0) <= 60_000


@pytest.mark.parametrize("status", ["500 Error", "503 Away", "401 Who", "404 Where", "302 Found"])
async def test_another_status_is_a_typed_error_and_no_redirect_is_followed(serve: Serve, status: str) -> None:
    async with serve() as other, serve() as server, calling(server) as endpoint:
        server.answer = lambda _: http({"error": "words"}, status, f"Location: {other.url}")
        error = await refused(endpoint)
    assert (error.code, error.details) == (Code.ENGINE_FAIL, {"reason": "embed_endpoint"})
    assert "words" not in error.message
    assert (len(server.asked), len(other.asked)) == (1, 0)


async def test_texts_that_it_refuses_are_the_callers_to_mend(serve: Serve) -> None:
    async with serve(lambda _: http({}, "400 Bad")) as server, calling(server) as endpoint:
        error = await refused(endpoint)
    assert (error.code, error.violations[0].field) == (Code.BAD_ARG, "texts")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"data": 1}',
        b'{"data": []}',
        b'{"data": [1]}',
        b'{"data": [{"embedding": []}]}',
        b'{"data": [{"embedding": [NaN, 1]}]}',
        b'{"data": [{"embedding": [1e999, 1]}]}',
        b'{"data": [{"embedding": [null, 1]}]}',
        b'{"data": [{"embedding": ["1", 1]}]}',
        b'{"data": [{"embedding": [[1], 1]}]}',
        b'{"data": [{"embedding": [0, 0]}]}',
        b'{"data": [{"embedding": {"0": 1}}]}',
        b'{"data": [{"embedding": "AAAAAA=="}]}',
        b'{"data": [{"embedding": "AADAfwAAgD8="}]}',
        b'{"data": [{"embedding": "!"}]}',
        b'{"data": [{"index": 5, "embedding": [1]}]}',
        b'{"data": [{"index": [], "embedding": [1]}]}',
        b'{"data": [{"index": true, "embedding": [1]}]}',
        b'{"data": [{"embedding": [1]}, {"embedding": [1]}]}',
        b'{"data": [{"embedding": [' + b"1," * 9000 + b"1]}]}",
    ],
)
async def test_an_answer_that_is_no_vectors_is_a_typed_error(serve: Serve, body: bytes) -> None:
    async with serve(lambda _: http(body)) as server, calling(server) as endpoint:
        error = await refused(endpoint)
    assert (error.code, error.details) == (Code.ENGINE_FAIL, {"reason": "embed_endpoint"})


async def test_another_dimension_than_before_or_than_is_set_is_refused(serve: Serve) -> None:
    async with serve() as server, calling(server) as endpoint:
        await ask(endpoint, "a")
        server.answer = lambda asked: vectors(asked, 5)
        assert "4 numbers" in (await refused(endpoint)).message
    async with serve() as server, calling(server, pdf_embed_dimension=3) as endpoint:
        assert "3 numbers" in (await refused(endpoint)).message


async def test_a_dimension_that_cannot_be_is_not_remembered(serve: Serve) -> None:
    async with serve(lambda asked: vectors(asked, 9000)) as server, calling(server) as endpoint:
        await refused(endpoint)
        server.answer = vectors
        assert (await ask(endpoint, "a")).dimension == 4


async def test_an_endless_answer_is_cut_off(serve: Serve) -> None:
    async with serve(lambda _: http(b"[" * (9 << 20))) as server, calling(server) as endpoint:
        assert "more than 8388608 bytes" in (await refused(endpoint)).message


async def test_one_that_is_not_there_is_a_typed_error(serve: Serve) -> None:
    async with serve() as server:
        pass
    async with calling(server) as endpoint:
        assert "cannot be reached" in (await refused(endpoint)).message


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"pdf_embed_url": "ftp://host/v1"}, "must be https"),
        ({"pdf_embed_url": "https://user:key@host/v1"}, "no key in it"),
        ({"pdf_embed_url": "https://host/v1?key=1"}, "no query"),
        ({"pdf_embed_url": "https://[/v1"}, "must be https"),
        ({"pdf_embed_model": ""}, "PAPERMESH_PDF_EMBED_MODEL"),
        ({"pdf_embed_url": "http://host/v1", "pdf_embed_key_file": Path("/absent")}, "since a key is sent there"),
        ({"pdf_embed_key_file": Path("/absent")}, "No such file"),
    ],
)
async def test_settings_that_cannot_work_are_one_sentence(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(OperatorError, match=says):
        Endpoint(settings(**{"pdf_embed_url": "https://host/v1", "pdf_embed_model": "m", **changed}))
