"""Somebody who was refused for their own rate is told so again, for as long as that is sure."""

import time

import pytest

from services.base.errors import ACTOR_RATE, CLIENT_RATE, Code, PapermeshError, rate_limited
from services.base.refusals import Refusals

NO_ROOM = PapermeshError(Code.RATE_LIMIT, "Busy.", retry_after_ms=60_000, details={"reason": "busy"})


def refuse(refusals: Refusals, error: PapermeshError, actor: str = "ada", called: str = "PDF_TEXT") -> None:
    refusals.heed((actor, called))
    refusals.learn((actor, called), error)


def refusal(refusals: Refusals, actor: str = "ada", called: str = "PDF_TEXT") -> PapermeshError | None:
    """What somebody is told without dispatch being asked."""
    try:
        refusals.heed((actor, called))
    except PapermeshError as error:
        return error
    return None


def test_who_was_refused_is_told_how_much_longer_to_wait() -> None:
    refusals = Refusals()
    refuse(refusals, rate_limited(900, ACTOR_RATE))
    error = refusal(refusals)
    assert error is not None
    assert (error.code, error.details) == (Code.RATE_LIMIT, {"reason": ACTOR_RATE})
    assert error.retry_after_ms is not None
    assert 0 < error.retry_after_ms <= 900
    assert str(error.retry_after_ms) in error.message


def test_other_people_and_other_actions_are_asked_for() -> None:
    refusals = Refusals()
    refuse(refusals, rate_limited(900, ACTOR_RATE))
    assert refusal(refusals, actor="bob") is None
    assert refusal(refusals, called="PDF_METADATA") is None


@pytest.mark.parametrize(
    "error", [NO_ROOM, rate_limited(60_000, CLIENT_RATE), PapermeshError(Code.TIMEOUT, "Too slow.")]
)
def test_what_may_end_sooner_than_it_was_said_is_not_remembered(error: PapermeshError) -> None:
    refusals = Refusals()
    refuse(refusals, error)
    assert refusal(refusals) is None


@pytest.mark.parametrize(("told_ms", "lasts_s"), [(50, 0.05), (60_000, 1.0)])
def test_it_ends_when_it_was_said_and_after_a_second_at_the_latest(told_ms: int, lasts_s: float) -> None:
    refusals = Refusals()
    refuse(refusals, rate_limited(told_ms, ACTOR_RATE))
    began = time.monotonic()
    while refusal(refusals):
        assert time.monotonic() - began < lasts_s + 5
    assert lasts_s - 0.01 <= time.monotonic() - began
    assert not refusals._until


def test_so_many_are_remembered_and_the_oldest_goes_first() -> None:
    refusals = Refusals()
    for number in range(5_000):
        refuse(refusals, rate_limited(60_000, ACTOR_RATE), actor=f"actor-{number}")
    assert len(refusals._until) == 4_096
    assert refusal(refusals, actor="actor-0") is None
    assert refusal(refusals, actor="actor-4999")
