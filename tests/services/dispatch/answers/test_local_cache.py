"""Results in a process's own memory: for a moment, and not many."""

from services.dispatch.answers.local_cache import FRESH_S, LocalCache
from tests.e2e.support.waiting import eventually


def test_what_was_noted_is_there_for_a_moment() -> None:
    near = LocalCache()
    near.note("k", "{}", 1_000)
    near.note_got("k", "kim", 900)
    assert near.get("k", "kim") == ("{}", 1_000, 900)
    eventually(lambda: near.get("k", "kim") is None, FRESH_S * 3, "the end of its moment")


def test_redis_is_asked_about_an_owner_who_is_not_known_to_have_got_it() -> None:
    near = LocalCache()
    near.note("k", "{}", 1_000)
    assert near.get("k", "kim") is None
    near.note_got("k", "kim", 900)
    assert near.get("k", "lee") is None
    for number in range(1_000):
        near.note_got("k", f"actor {number}", 900)
    assert near.get("k", "actor 999") is not None
    assert len(near._held["k"].got) <= 64


def test_a_newer_result_takes_the_place_of_an_older_one() -> None:
    near = LocalCache()
    near.note("k", "old", 1)
    near.note_got("k", "kim", 1)
    near.note("k", "new", 2)
    assert near.get("k", "kim") == ("new", 2, 1)
    near.note("k", "x" * 100_000, 3)
    assert near.get("k", "kim") is None, "a large one is not kept, nor what it replaced"


def test_it_holds_a_bounded_number() -> None:
    near = LocalCache()
    for number in range(1_000):
        near.note(f"k{number}", "{}", number)
        near.note_got(f"k{number}", "kim", number)
    assert near.get("k0", "kim") is None
    assert near.get("k999", "kim") == ("{}", 999, 999)
    assert len(near._held) <= 256
