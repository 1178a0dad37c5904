"""Whose turn it is, told by what each caller would see."""

import asyncio
from collections import Counter
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from services.base.flow import Flow
from services.pdf.processes.turns import Request, Turns

FLOWS = [Flow(client, actor) for client in ("a", "b", "c") for actor in ("1", "2", "3")]
flows = st.sampled_from(FLOWS)


def request(flow: Flow, *, counted: bool = True) -> Request:
    loop = asyncio.new_event_loop()
    try:
        return Request(flow, loop.create_future(), counted)
    finally:
        loop.close()


def line(*waiting: Flow) -> Turns:
    turns = Turns()
    for flow in waiting:
        turns.add(request(flow))
    return turns


def served(turns: Turns) -> Sequence[Flow]:
    """The order of all that wait, where each is at work for as long as one turn takes."""
    order = []
    while taken := turns.next():
        order.append(taken.flow)
        turns.end(taken.flow)
    return order


def test_the_requests_of_one_caller_are_served_as_they_came() -> None:
    turns, coming = Turns(), [request(FLOWS[0]) for _ in range(5)]
    for each in coming:
        turns.add(each)
    assert [turns.next() for _ in coming] == coming
    assert turns.next() is None


def test_clients_take_turns_however_many_each_has_sent() -> None:
    flood, other = Flow("flood", "x"), Flow("other", "y")
    assert served(line(*[flood] * 5, *[other] * 2)) == [flood, other, flood, other, flood, flood, flood]


def test_invented_actors_earn_their_client_no_turns() -> None:
    invented = [Flow("flood", str(number)) for number in range(50)]
    turns = line(*invented, *[Flow("other", "y")] * 3)
    order = served(turns)
    assert [place for place, flow in enumerate(order) if flow.client == "other"] == [1, 3, 5]
    assert not turns._at_work, "nobody is remembered who has nothing at work"


def test_the_actors_of_one_client_take_turns() -> None:
    ada, bob = Flow("adapter", "ada"), Flow("adapter", "bob")
    assert served(line(*[ada] * 4, bob)) == [ada, bob, ada, ada, ada]


def test_who_has_no_worker_goes_before_who_has_one() -> None:
    slow, other = Flow("slow", "x"), Flow("other", "y")
    turns = line(slow, slow, slow)
    assert [turns.next(), turns.next()] != [None, None]  # slow has both workers
    turns.add(request(other))
    turns.end(slow)
    first = turns.next()
    assert first is not None
    assert first.flow == other


@given(st.lists(flows, max_size=60))
def test_everybody_is_served_once_and_clients_differ_by_one_while_they_wait(coming: list[Flow]) -> None:
    left = Counter(flow.client for flow in coming)
    had: Counter[str] = Counter()
    order = served(line(*coming))
    assert Counter(order) == Counter(coming)
    for flow in order:
        had[flow.client] += 1
        left[flow.client] -= 1
        assert all(had[flow.client] <= had[client] + 1 for client in left if left[client])


@given(st.lists(st.tuples(flows, st.booleans()), max_size=40), flows)
def test_room_is_made_only_by_a_line_that_stays_as_long_as_the_newcomers(
    coming: list[tuple[Flow, bool]], newcomer: Flow
) -> None:
    turns, waiting = Turns(), [request(flow, counted=counted) for flow, counted in coming]
    for each in waiting:
        turns.add(each)
    counted = [each.flow for each in waiting if each.counted]
    of_client, of_flow = Counter(flow.client for flow in counted), Counter(counted)
    last = turns.gives_way(newcomer)
    if last is None:
        assert of_client[newcomer.client] + 1 >= max(of_client.values(), default=0)
        return
    assert last is [each for each in waiting if each.counted and each.flow == last.flow][-1]
    if last.flow.client == newcomer.client:
        assert of_flow[last.flow] > of_flow[newcomer] + 1
    else:
        assert of_client[last.flow.client] > of_client[newcomer.client] + 1
