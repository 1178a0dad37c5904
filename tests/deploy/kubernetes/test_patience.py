from collections.abc import Iterable

import httpx
import pytest
from httpx_retries import Retry, RetryTransport

from deploy.kubernetes import patience


class Line(httpx.BaseTransport):
    """What a server and the way to it do, in turn: a status, or what goes wrong."""

    def __init__(self, turns: Iterable[int | httpx.TransportError]) -> None:
        self._turns = list(turns)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        turn = self._turns.pop(0)
        if isinstance(turn, httpx.TransportError):
            raise turn
        return httpx.Response(turn, request=request)


def ask(method: str, *turns: int | httpx.TransportError) -> int:
    again = (patience.QUESTION if method == "GET" else patience.COMMAND).copy_with(total=2, backoff_factor=0)
    with httpx.Client(transport=RetryTransport(Line(turns))) as http:
        return http.request(method, "https://api.example", extensions={"retry": again}).status_code


LOST, UNREACHED = httpx.ReadError("lost"), httpx.ConnectTimeout("no way there")


@pytest.mark.parametrize("first", [429, 500, 503, LOST, UNREACHED])
def test_a_question_is_asked_again_whatever_went_wrong(first: int | httpx.TransportError) -> None:
    assert ask("GET", first, first, 200) == 200


@pytest.mark.parametrize("first", [429, UNREACHED])
def test_a_command_is_given_again_when_it_cannot_have_been_done(first: int | httpx.TransportError) -> None:
    assert ask("POST", first, first, 201) == 201


def test_a_command_that_may_have_been_done_is_not_given_again() -> None:
    assert ask("PUT", 503, 200) == 503
    with pytest.raises(httpx.ReadError):
        ask("PUT", LOST, 200)


def test_what_is_refused_for_good_is_not_asked_again() -> None:
    assert ask("GET", 403, 200) == 403


def test_patience_ends() -> None:
    assert ask("GET", 503, 503, 503, 200) == 503
    with pytest.raises(httpx.ConnectTimeout):
        ask("GET", *[UNREACHED] * 3, 200)


@pytest.mark.parametrize("again", [patience.QUESTION, patience.COMMAND])
def test_pauses_grow_to_four_seconds(again: Retry) -> None:
    pauses = []
    while not again.is_exhausted():
        again = again.increment()
        pauses.append(again.backoff_strategy())
    assert pauses == [0.5, 1, 2, 4]
