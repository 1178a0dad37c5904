"""Answers that are kept for idempotency keys, with a real store."""

from pathlib import Path

import pytest

from services.base.blobs import BlobStore, Namespace
from services.dispatch.answers.stored_answers import MAX_INLINE_BYTES, StoredAnswers

LARGE = '{"text":"' + "".join(chr(0x4E00 + each * each % 20_000) for each in range(10_000)) + '"}'


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore((tmp_path / "blobs").as_uri())


@pytest.fixture
def answers(blobs: BlobStore, tmp_path: Path) -> StoredAnswers:
    spool = tmp_path / "spool"
    spool.mkdir()
    return StoredAnswers(blobs, spool)


@pytest.mark.parametrize("json", ["{}", '{"run_id":"7"}', LARGE], ids=["empty", "small", "large"])
async def test_an_answer_is_found_again_by_a_small_record(answers: StoredAnswers, json: str) -> None:
    stored = await answers.store(json)
    assert await answers.load(stored.record) == json
    assert len(stored.record) <= MAX_INLINE_BYTES + 1


async def test_of_two_equal_answers_each_is_deleted_by_itself(answers: StoredAnswers, blobs: BlobStore) -> None:
    first, second = await answers.store(LARGE), await answers.store(LARGE)
    names = [blob.sha256 async for blob in blobs.list(Namespace.RESULTS)]
    assert len(names) == 2
    await blobs.delete(Namespace.RESULTS, next(name for name in names if name.encode() in first.record))
    assert await answers.load(second.record) == LARGE


async def test_nothing_is_left_in_the_spool_folder(answers: StoredAnswers, tmp_path: Path) -> None:
    await answers.store(LARGE)
    assert not list((tmp_path / "spool").iterdir())
