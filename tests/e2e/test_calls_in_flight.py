"""A client that holds all the calls it may have under way: the next is refused at once, and nobody else's is."""

import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.support.caller import Caller, Channel, invocation, path
from tests.e2e.support.flood import Outcomes
from tests.e2e.support.standins.deployed import Standins, deployed_with_standins
from tests.e2e.support.waiting import eventually

OF_ACTOR, OF_CLIENT = 32, 48
"""The defaults of the settings."""

AT_ONCE_S = 2.0
"""Within which a call is answered that waits for nothing, on a machine with other things to do."""


@pytest.fixture(scope="module")
def standins(good_document: Path) -> Iterator[Standins]:
    with deployed_with_standins(good_document) as standins:
        yield standins
        standins.mesh.must_have_met_no_bug()


class Held:
    """Calls of the operator that are under way until they are given up, over a connection of their own."""

    def __init__(self, standins: Standins) -> None:
        self.key = secrets.token_hex(8)
        mesh = standins.mesh
        self._standins = standins
        self._operator: Caller = mesh.caller("operator")
        self._channel = Channel(mesh.stack.edge_address, mesh.tls_dir("operator"))
        self._calls: list[Any] = []

    def hold(self, number: int, actor: str = "") -> None:
        """Makes slow calls, and waits until they are at the service.

        One that is refused is made again: the places of those who have just left become free one after the other.
        """
        calls = [self._start(actor) for _ in range(number)]

        def at_the_service() -> bool:
            for place, call in enumerate(calls):
                if call.done():
                    calls[place] = self._start(actor)
            return len(self._standins.events("started", key=self.key)) == len(self._calls) + number

        try:
            eventually(at_the_service, what="all calls")
        finally:
            self._calls += calls

    def _start(self, actor: str) -> Any:
        request = invocation("STANDIN_SLOW", {"seconds": 25, "key": self.key}, actor)
        signed = self._operator.sign("Invoke", request)
        return self._channel.start(path("Invoke"), request.SerializeToString(), signed)

    def one_more(self, actor: str = "") -> str:
        """The code of another call, "" when it is served."""
        return self._operator.outcome("Invoke", invocation("STANDIN_SLOW", {"key": f"{self.key}-more"}, actor))

    def leave(self) -> None:
        for call in self._calls:
            call.cancel()
        self._channel.close()


@pytest.fixture
def held(standins: Standins) -> Iterator[Held]:
    held = Held(standins)
    yield held
    held.leave()
    eventually(lambda: held.one_more() == "", what="a free place")


@pytest.mark.measures_time
def test_one_call_more_than_an_actor_may_have_under_way_is_refused_at_once(standins: Standins, held: Held) -> None:
    held.hold(OF_ACTOR - 1)
    assert held.one_more() == ""
    held.hold(1)
    began = time.monotonic()
    request = invocation("STANDIN_SLOW", {"key": f"{held.key}-refused"})
    with pytest.raises(Exception, match="32 calls of this client and actor are under way") as caught:
        standins.mesh.caller("operator").call("Invoke", request)
    assert time.monotonic() - began < AT_ONCE_S
    outcomes = Outcomes()
    outcomes.count(caught.value)
    assert (dict(outcomes.codes), outcomes.hurried) == ({"RATE_LIMIT": 1}, 0)
    assert not standins.events(key=f"{held.key}-refused"), "it reached the service"


@pytest.mark.measures_time
def test_what_a_client_holds_keeps_nobody_else_waiting(standins: Standins, held: Held) -> None:
    held.hold(OF_ACTOR)
    assert held.one_more("ada") == "", "another of its actors"
    held.hold(OF_CLIENT - OF_ACTOR, "ada")
    assert held.one_more("bob") == "RATE_LIMIT", "the client has no more"
    began = time.monotonic()
    assert standins.mesh.adapter.invoke("STANDIN_SLOW", {"key": held.key + "-other"}).ok, "another client"
    assert time.monotonic() - began < AT_ONCE_S
    standins.mesh.must_still_work()
    content = standins.mesh.good_document.read_bytes()
    operator = standins.mesh.caller("operator")
    assert operator.invoke("PDF_METADATA", {"doc_ref": operator.put(content)})["pages"] == 3, "at another service"


def test_places_are_free_again_when_the_callers_have_left(held: Held) -> None:
    held.hold(OF_ACTOR)
    assert held.one_more() == "RATE_LIMIT"
    held.leave()
    eventually(lambda: held.one_more() == "", limit_s=5, what="a free place")


def test_fifty_equal_calls_take_one_place(standins: Standins, held: Held) -> None:
    held.hold(OF_ACTOR - 1)
    key = secrets.token_hex(8)
    operator = standins.mesh.caller("operator")
    request = invocation("STANDIN_COUNT", {"key": key, "ms": 300})
    with Channel(standins.mesh.stack.edge_address, standins.mesh.tls_dir("operator")) as channel:
        calls = [
            channel.start(path("Invoke"), request.SerializeToString(), operator.sign("Invoke", request))
            for _ in range(50)
        ]
        outcomes = Outcomes()
        for call in calls:
            outcomes.count(call)
    assert outcomes.codes == {"": 50}
    assert len(standins.events("started", key=key)) == 1


def test_a_cached_answer_takes_no_place(standins: Standins, held: Held) -> None:
    operator, key = standins.mesh.caller("operator"), secrets.token_hex(8)
    made = operator.invoke("STANDIN_COUNT", {"key": key})
    held.hold(OF_ACTOR)
    assert held.one_more() == "RATE_LIMIT"
    assert operator.invoke("STANDIN_COUNT", {"key": key}) == made
