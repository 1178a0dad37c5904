"""On whose behalf a service works: what dispatch says, and what a service reads."""

from hypothesis import given
from hypothesis import strategies as st

from services.base.flow import HEADER, NOBODY, Flow

clients = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,127}", fullmatch=True)


@given(clients, st.text())
def test_a_service_reads_what_dispatch_said_whatever_the_actor_is_called(client: str, actor: str) -> None:
    flow = Flow.of(client, actor)
    name, value = flow.metadata
    assert name == HEADER
    assert value.isascii()
    assert value.isprintable()
    assert Flow.read([("x-request-id", "r-1"), flow.metadata]) == flow


def test_an_actor_is_told_from_others_and_not_named() -> None:
    ada = Flow.of("adapter", "ada@example.com")
    assert ada == Flow.of("adapter", "ada@example.com")
    assert ada != Flow.of("adapter", "bob@example.com")
    assert ada != Flow.of("reports", "ada@example.com")
    assert "ada" not in ada.metadata[1].removeprefix("adapter")


def test_a_call_that_names_nobody_is_nobodys() -> None:
    assert Flow.read([]) == Flow.read([(HEADER, b"x")]) == NOBODY
