"""What a result is kept under, and for how long."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from papermesh.document.v1 import document_pb2
from papermesh.pdf.v1 import pdf_service_pb2 as pb
from services.base import actions
from services.base.redis.link import RedisLink
from services.dispatch.answers.result_cache import MAX_ENTRY_BYTES, Found, ResultCache, result_key
from tests.support.redis_server import RedisServer

ACTIONS = actions.load().actions
TEXT, METADATA = ACTIONS["PDF_TEXT"], ACTIONS["PDF_METADATA"]
MINUTE = timedelta(minutes=1)
ONE, OTHER = "1" * 64, "2" * 64


def text_of(sha256: str = ONE, pages: str = "", **reference: str) -> pb.ExtractTextRequest:
    return pb.ExtractTextRequest(doc_ref=document_pb2.DocumentRef(sha256=sha256, **reference), pages=pages)


@pytest.fixture
async def cache(redis_server: RedisServer) -> AsyncIterator[ResultCache]:
    link = RedisLink(redis_server.url)
    yield ResultCache(link)
    await link.close()


def test_the_same_contents_have_the_same_key_wherever_they_came_from() -> None:
    uploaded = text_of(type="UPLOAD")
    in_gitlab = text_of(type="GITLAB", project_path="corp/policies", path="a.pdf", ref="main")
    assert result_key(TEXT, uploaded, "e1", "") == result_key(TEXT, in_gitlab, "e1", "")


@pytest.mark.parametrize(
    ("request_", "engine"), [(text_of(OTHER), "e1"), (text_of(pages="1"), "e1"), (text_of(), "e2")]
)
def test_another_document_argument_or_engine_has_another_key(request_: pb.ExtractTextRequest, engine: str) -> None:
    assert result_key(TEXT, request_, engine, "") != result_key(TEXT, text_of(), "e1", "")


def test_what_is_somebodys_own_has_another_key() -> None:
    assert len({result_key(TEXT, text_of(), "e1", whose) for whose in ("", "adapter", "adapter\x1fkim")}) == 3


def test_another_action_has_another_key() -> None:
    same_bytes = pb.GetMetadataRequest(doc_ref=document_pb2.DocumentRef(sha256=ONE))
    assert result_key(METADATA, same_bytes, "e1", "") != result_key(TEXT, text_of(), "e1", "")


def test_making_a_key_leaves_the_request_as_it_was() -> None:
    request = text_of(type="GITLAB", project_path="corp/policies", path="a.pdf")
    result_key(TEXT, request, "e1", "")
    assert request.doc_ref.path == "a.pdf"


async def test_what_was_kept_is_found_again_with_its_remaining_life(cache: ResultCache) -> None:
    await cache.put("k", '{"pages":3}', MINUTE)
    found = await cache.get("k", "kim")
    assert (found.json, found.got_s) == ('{"pages":3}', 0)


@pytest.mark.parametrize("near", [256, 0], ids=["from this process's memory", "from Redis"])
async def test_who_got_a_result_is_remembered_for_as_long_as_it_would_last(
    cache: ResultCache,
    redis_server: RedisServer,
    near: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.dispatch.answers.local_cache._MOST_ENTRIES", near)
    await cache.put("k", "{}", MINUTE)
    await cache.note_got("k", "kim", MINUTE)
    assert 58 <= (await cache.get("k", "kim")).got_s <= 60
    assert await cache.get("k", "lee") == Found("{}", 0)
    with redis_server.admin() as admin:
        assert 0 < admin.ttl("got:k:kim") <= 60


async def test_what_is_found_costs_one_command(cache: ResultCache, redis_server: RedisServer) -> None:
    await cache.put("k", "{}", MINUTE)
    with redis_server.admin() as admin:
        admin.config_resetstat()
        await cache.get("k", "kim")
        asked = set(admin.info("commandstats")) - {"cmdstat_info", "cmdstat_config", "cmdstat_config|resetstat"}
        assert asked == {"cmdstat_mget"}


async def test_a_large_result_is_compressed(cache: ResultCache, redis_server: RedisServer) -> None:
    json = '{"text":"' + "제12조 연차휴가 " * 10_000 + '"}'
    await cache.put("k", json, MINUTE)
    with redis_server.admin() as admin:
        assert admin.strlen("result:k") < len(json.encode()) / 5
    assert (await cache.get("k", "kim")).json == json


async def test_an_entry_ends_with_its_time(cache: ResultCache, redis_server: RedisServer) -> None:
    await cache.put("k", "{}", MINUTE)
    with redis_server.admin() as admin:
        assert 0 < admin.ttl("result:k") <= 60


async def test_a_result_over_the_cap_is_not_kept(cache: ResultCache) -> None:
    incompressible = "".join(chr(0x4E00 + (each * each * 31 + each * 7) % 20_000) for each in range(MAX_ENTRY_BYTES))
    await cache.put("k", incompressible, MINUTE)
    assert (await cache.get("k", "kim")).json is None


async def test_without_redis_nothing_is_found_and_nothing_fails(cache: ResultCache, redis_server: RedisServer) -> None:
    redis_server.stop()
    await cache.put("k", "{}", MINUTE)
    assert (await cache.get("k", "kim")).json is None
