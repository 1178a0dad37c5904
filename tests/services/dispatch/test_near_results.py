"""Results in a process's own memory: for a moment, and not many."""

from services.dispatch.near_results import FRESH_S, NearResults
from tests.e2e.support.waiting import eventually


def test_what_was_noted_is_there_for_a_moment() -> None:
    near = NearResults()
    near.note("k", "{}", 1_000)
    assert near.get("k") == ("{}", 1_000)
    eventually(lambda: near.get("k") is None, FRESH_S * 3, "the end of its moment")


def test_a_newer_result_takes_the_place_of_an_older_one() -> None:
    near = NearResults()
    near.note("k", "old", 1)
    near.note("k", "new", 2)
    assert near.get("k") == ("new", 2)
    near.note("k", "x" * 100_000, 3)
    assert near.get("k") is None, "a large one is not kept, nor what it replaced"


def test_it_holds_a_bounded_number() -> None:
    near = NearResults()
    for number in range(1_000):
        near.note(f"k{number}", "{}", number)
    assert near.get("k0") is None
    assert near.get("k999") == ("{}", 999)
    assert len(near._held) <= 256
