"""Who makes room for a new connection: those who idle, the one that has for longest first, and nobody else."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from mcp_adapter.http.connections import Connections
from mcp_adapter.http.limits import Limits
from services.base.errors import RETRY_AFTER_MS, Code, PapermeshError


class Somebody:
    """A connection that says when it was ended."""

    def __init__(self, table: Connections, peer: str) -> None:
        self.table, self.peer = table, peer
        self.open = self.idles = True
        self.untaken = 1

    def untaken_bytes(self) -> int:
        return self.untaken

    def make_room(self) -> None:
        assert self.open, "ended twice"
        assert self.idles, "a request is under way"
        self.open = False
        self.table.leave(self)


def refusal(table: Connections, somebody: Somebody) -> Code | None:
    try:
        table.admit(somebody, somebody.peer)
    except PapermeshError as error:
        return error.code if error.retry_after_ms == RETRY_AFTER_MS else None
    return None


def test_a_peer_that_has_its_share_gives_one_of_its_own() -> None:
    table = Connections(Limits(connections=8, peer_connections=2))
    other, first, second, third = (Somebody(table, peer) for peer in ("b", "a", "a", "a"))
    assert [refusal(table, each) for each in (other, first, second, third)] == [None] * 4
    assert [each.open for each in (other, first, second, third)] == [True, False, True, True]


def test_a_peer_that_has_its_share_of_requests_takes_nobody_elses() -> None:
    table = Connections(Limits(connections=8, peer_connections=2))
    for each in (first := Somebody(table, "a"), second := Somebody(table, "a")):
        table.admit(each, "a")
        table.work(each)
    assert refusal(table, Somebody(table, "a")) is Code.RATE_LIMIT
    assert refusal(table, Somebody(table, "b")) is None
    table.leave(first)
    assert refusal(table, Somebody(table, "a")) is None
    assert second.open


def test_who_still_takes_an_answer_makes_room_after_all_that_idle() -> None:
    table = Connections(Limits(connections=3, peer_connections=3))
    taking, first, second = (Somebody(table, "") for _ in range(3))
    for each in (taking, first, second):
        table.admit(each, "")
    table.work(taking)
    table.take(taking, 1000)
    newcomers = [Somebody(table, "") for _ in range(3)]
    assert refusal(table, newcomers[0]) is refusal(table, newcomers[1]) is None
    assert [each.open for each in (taking, first, second)] == [True, False, False]
    for each in newcomers[:2]:
        table.work(each)
    assert refusal(table, newcomers[2]) is None
    assert not taking.open


def test_answers_that_nobody_takes_are_so_many_bytes_and_the_oldest_goes() -> None:
    table = Connections(Limits(connections=8, peer_connections=8, untaken_bytes=100))
    readers = [Somebody(table, "") for _ in range(3)]
    for each in readers:
        table.admit(each, "")
        table.work(each)
        table.take(each, 40)
    assert [each.open for each in readers] == [False, True, True]
    table.take(readers[1], 60)
    assert readers[1].open, "one hundred is what there may be"
    readers[1].untaken = 0
    table.take(readers[2], 60)
    assert all(each.open for each in readers[1:]), "the one before has taken everything meanwhile"


def test_one_that_stands_for_many_is_bound_to_no_share() -> None:
    table = Connections(Limits(connections=8, peer_connections=2))
    many = [Somebody(table, "") for _ in range(8)]
    assert {refusal(table, each) for each in many} == {None}
    assert all(each.open for each in many)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["come", "work", "rest", "take", "leave"]), st.integers(0, 20), st.sampled_from("ab ")
        ),
        max_size=120,
    )
)
def test_whatever_happens_no_share_is_exceeded_and_nobody_at_work_is_ended(steps: list[tuple[str, int, str]]) -> None:
    table = Connections(Limits(connections=6, peer_connections=3))
    taken: list[Somebody] = []
    for step, number, peer in steps:
        here = [each for each in taken if each.open]
        if step == "come":
            mine = [each for each in here if each.peer == peer.strip()]
            new = Somebody(table, peer.strip())
            code = refusal(table, new)
            if code is None:
                taken.append(new)
            elif code is Code.RATE_LIMIT:
                assert new.peer
                assert len(mine) == 3
                assert not any(each.idles for each in mine)
            else:
                assert len(here) == 6
                assert not any(each.idles for each in here)
        elif here:
            one = here[number % len(here)]
            if step == "work":
                one.idles = False
                table.work(one)
            elif step == "take":
                one.idles = True
                table.take(one, number)
            elif step == "rest":
                one.idles = True
                table.rest(one)
            else:
                one.open = False
                table.leave(one)
        here = [each for each in taken if each.open]
        assert len(here) <= 6
        counts = Counter(each.peer for each in here)
        assert counts["a"] <= 3
        assert counts["b"] <= 3
