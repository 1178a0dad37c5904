"""How many downloads there may be at a time, and that each gives its place back."""

from contextlib import ExitStack

import pytest

from mcp_adapter.downloads import MAX_DOWNLOADS, MAX_OF_AN_ACTOR, Downloads
from services.base.errors import Code, PapermeshError


def refusal(downloads: Downloads, actor: str) -> tuple[Code, int | None] | None:
    try:
        with downloads.begin(actor):
            return None
    except PapermeshError as error:
        return error.code, error.retry_after_ms


def test_an_actor_has_so_many_and_takes_none_from_others() -> None:
    downloads = Downloads()
    with ExitStack() as held:
        for _ in range(MAX_OF_AN_ACTOR):
            held.enter_context(downloads.begin("ada"))
        assert refusal(downloads, "ada") == (Code.RATE_LIMIT, 1000)
        assert refusal(downloads, "bob") is None
    assert refusal(downloads, "ada") is None


def test_all_together_have_so_many() -> None:
    downloads = Downloads()
    with ExitStack() as held:
        for number in range(MAX_DOWNLOADS):
            held.enter_context(downloads.begin(f"actor-{number}"))
        assert refusal(downloads, "ada") == (Code.UNAVAILABLE, 1000)
    assert refusal(downloads, "ada") is None


def test_one_that_fails_gives_its_place_back() -> None:
    downloads = Downloads()
    for _ in range(MAX_OF_AN_ACTOR + 1):
        with pytest.raises(OSError, match="gone"), downloads.begin("ada"):
            raise OSError("gone")
