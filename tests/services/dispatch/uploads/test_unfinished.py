import os
import time
from pathlib import Path

import pytest

from services.dispatch.uploads.retention import remove_unfinished

LONG_AGO = time.time() - 7200


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    folder = tmp_path / "spool"
    folder.mkdir()
    return folder


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    folder = tmp_path / "blobs" / "uploads" / "ab"
    folder.mkdir(parents=True)
    return folder


def test_what_a_killed_dispatch_left_in_its_spool_goes(spool: Path) -> None:
    (spool / "upload-x1").touch()
    (spool / "result-x1").touch()
    (spool / "notes").touch()
    remove_unfinished(spool, "s3://bucket")
    assert [file.name for file in spool.iterdir()] == ["notes"]


def test_what_was_staged_long_ago_goes_and_documents_stay(spool: Path, shelf: Path) -> None:
    digest = "ab" * 32
    for name in (digest, f"{digest}#1", f"{digest}#2"):
        (shelf / name).touch()
    for name in (digest, f"{digest}#1"):
        os.utime(shelf / name, (LONG_AGO, LONG_AGO))
    remove_unfinished(spool, shelf.parents[1].as_uri())
    assert {file.name for file in shelf.iterdir()} == {digest, f"{digest}#2"}, "another dispatch may be at work"


def test_a_store_that_is_yet_to_be_made_has_none(spool: Path, tmp_path: Path) -> None:
    remove_unfinished(spool, (tmp_path / "absent").as_uri())
