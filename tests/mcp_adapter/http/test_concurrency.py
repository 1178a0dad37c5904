"""How many calls, uploads and downloads there may be at a time, and that each gives its place back."""

from contextlib import ExitStack

import pytest

from mcp_adapter.http.concurrency import CALLS, DOWNLOADS, REQUESTS, UPLOADS, Places, Room
from services.base.errors import Code, PapermeshError

rooms = pytest.mark.parametrize("room", [CALLS, UPLOADS, DOWNLOADS, REQUESTS], ids=lambda room: room.kind)


def refusal(places: Places, actor: str) -> tuple[Code, int | None] | None:
    try:
        with places.take(actor):
            return None
    except PapermeshError as error:
        return error.code, error.retry_after_ms


@rooms
def test_an_actor_has_so_many_and_takes_none_from_others(room: Room) -> None:
    places = Places(room)
    with ExitStack() as held:
        for _ in range(room.of_actor):
            held.enter_context(places.take("ada"))
        assert refusal(places, "ada") == (Code.RATE_LIMIT, 1000)
        assert refusal(places, "bob") is None
    assert refusal(places, "ada") is None


@rooms
def test_all_together_have_so_many(room: Room) -> None:
    places = Places(room)
    with ExitStack() as held:
        for number in range(room.total):
            held.enter_context(places.take(f"actor-{number}"))
        assert refusal(places, "ada") == (Code.UNAVAILABLE, 1000)
    assert refusal(places, "ada") is None


@rooms
def test_one_that_fails_gives_its_place_back(room: Room) -> None:
    places = Places(room)
    for _ in range(room.of_actor + 1):
        with pytest.raises(OSError, match="gone"), places.take("ada"):
            raise OSError("gone")


@rooms
def test_one_actor_alone_takes_no_more_than_a_quarter(room: Room) -> None:
    assert 4 * room.of_actor <= room.total
