"""Places for calls under way: bounded for each actor and each client at each service, and none of them ever lost."""

from collections import Counter
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.base.errors import Code, PapermeshError
from services.dispatch.admission.clients import Client
from services.dispatch.admission.concurrency import ConcurrencyLimit
from services.dispatch.admission.verification import Caller
from tests.support.clients import ADAPTER_ID, ADAPTER_KEY, REPORTS_ID, REPORTS_KEY, entry

CLIENTS = {
    "adapter": Client.model_validate(entry(ADAPTER_KEY, certificate=ADAPTER_ID)),
    "reports": Client.model_validate(entry(REPORTS_KEY, certificate=REPORTS_ID)),
}
PDF, OTHER = "papermesh.pdf.v1.PdfService", "corp.v1.OtherService"


def caller(actor: str, client: str = "adapter") -> Caller:
    return Caller(CLIENTS[client], actor, "n" * 16, 0)


def refusal(places: ConcurrencyLimit, who: Caller) -> PapermeshError:
    with pytest.raises(PapermeshError) as caught:
        places.acquire(who, PDF)
    return caught.value


def test_an_actor_that_holds_all_it_may_is_told_to_wait() -> None:
    places = ConcurrencyLimit(2, 10)
    for _ in range(2):
        places.acquire(caller("ada"), PDF)
    error = refusal(places, caller("ada"))
    assert (error.code, error.retry_after_ms, error.details) == (Code.RATE_LIMIT, 1000, {"reason": "in_flight"})
    assert "2 calls of this client and actor" in error.message


def test_actors_of_one_client_share_what_it_may_hold() -> None:
    places = ConcurrencyLimit(2, 3)
    for actor in ("ada", "ada", "bob"):
        places.acquire(caller(actor), PDF)
    assert "3 calls of this client are" in refusal(places, caller("cleo")).message
    places.acquire(caller("reports", "reports"), PDF)


def test_a_service_that_hangs_costs_no_place_at_another() -> None:
    places = ConcurrencyLimit(1, 1)
    places.acquire(caller("ada"), PDF)
    places.acquire(caller("ada"), OTHER)


def test_a_place_that_was_given_back_is_free() -> None:
    places = ConcurrencyLimit(1, 1)
    places.acquire(caller("ada"), PDF).close()
    places.acquire(caller("ada"), PDF)


callers = st.tuples(st.sampled_from(["ada", "bob", "cleo"]), st.sampled_from(sorted(CLIENTS)))


@given(st.lists(callers | st.integers(0, 20)), st.integers(1, 4), st.integers(1, 6))
def test_whatever_comes_and_goes_exactly_those_with_room_enter(
    steps: list[tuple[str, str] | int], of_actor: int, of_client: int
) -> None:
    places, held, actors, clients = (
        ConcurrencyLimit(of_actor, of_client),
        [],
        Counter[tuple[str, str]](),
        Counter[str](),
    )
    for step in steps:
        if isinstance(step, int):
            if held:
                place, who = held.pop(step % len(held))
                place.close()
                actors[who] -= 1
                clients[who[1]] -= 1
            continue
        try:
            entered: ExitStack | None = places.acquire(caller(*step), PDF)
        except PapermeshError:
            entered = None
        assert (entered is not None) == (actors[step] < of_actor and clients[step[1]] < of_client)
        if entered:
            held.append((entered, step))
            actors[step] += 1
            clients[step[1]] += 1
    for place, _ in held:
        place.close()
    assert not places._taken, "who has left is forgotten: actors can be invented without end"
