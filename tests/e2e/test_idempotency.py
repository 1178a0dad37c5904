"""Idempotency keys: one key is one effect and one answer, however often and through whichever replica it is sent."""

import secrets
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from services.dispatch.answers.local_cache import FRESH_S
from tests.e2e.support import dispatch_replicas
from tests.e2e.support.adapter import Adapter, Answer
from tests.e2e.support.caller import Caller, invocation, path
from tests.e2e.support.standins.deployed import Standins, deployed_with_standins
from tests.e2e.support.waiting import at_work, eventually

AT_ONCE = 20
LEASE_S = 10
"""How long the lease of a replica that was killed stands in the way."""


@pytest.fixture(scope="module")
def doubled(good_document: Path) -> Iterator[Standins]:
    with deployed_with_standins(good_document, replicas={"dispatch": 2}) as standins:
        yield standins


@pytest.fixture
def standins(doubled: Standins) -> Iterator[Standins]:
    """Two replicas of dispatch; every part is at work before a test and after it."""
    dispatch_replicas.both_take_calls(doubled)
    yield doubled
    for name in (*dispatch_replicas.NAMES, "adapter"):
        doubled.mesh.stack.part(name).start()
    doubled.mesh.stack.wait_until_ready()
    dispatch_replicas.both_take_calls(doubled)
    doubled.mesh.must_have_met_no_bug()


@pytest.fixture
def adapter(standins: Standins) -> Adapter:
    return standins.mesh.adapter


@pytest.fixture
def operator(standins: Standins) -> Caller:
    return standins.mesh.caller("operator")


@pytest.fixture
def key() -> str:
    """An idempotency key that no other test uses; it also serves as the note of the effect."""
    return secrets.token_hex(8)


def effects(standins: Standins, note: str) -> int:
    """How often it was done."""
    return len(standins.events("effect", key=note))


def effect(key: str, note: str, actor: str = "", ms: int = 0) -> pb.InvokeRequest:
    """A call that does something, under a key."""
    request = invocation("STANDIN_EFFECT", {"note": note, "ms": ms}, actor)
    request.idempotency_key = key
    return request


def start(caller: Caller, request: pb.InvokeRequest) -> Any:
    """Starts a call and does not wait for it."""
    return caller.channel.start(path("Invoke"), request.SerializeToString(), caller.sign("Invoke", request))


def settled(send: Any) -> Answer:
    """The answer to a call that is made again for as long as it may be."""
    last: list[Answer] = []

    def is_settled() -> bool:
        with suppress(httpx.TransportError):
            last.append(send())
        return bool(last) and (last[-1].ok or not last[-1].body["error"]["is_transient"])

    eventually(is_settled, LEASE_S + dispatch_replicas.BACK_S, "an answer that stands")
    return last[-1]


def test_twenty_callers_with_one_key_get_one_answer_to_one_effect(
    standins: Standins, adapter: Adapter, key: str
) -> None:
    before = dispatch_replicas.taken(standins.mesh)
    send = partial(adapter.invoke, "STANDIN_EFFECT", {"note": key, "ms": 300}, Idempotency_Key=key)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = [call.result() for call in [pool.submit(send) for _ in range(AT_ONCE)]]

    assert len({answer.data["id"] for answer in answers}) == 1
    assert effects(standins, key) == 1
    taken = {name: count - before[name] for name, count in dispatch_replicas.taken(standins.mesh).items()}
    assert min(taken.values()) > 0, taken


def test_over_grpc_it_is_the_same(standins: Standins, operator: Caller, key: str) -> None:
    calls = [start(operator, effect(key, key, ms=300)) for _ in range(AT_ONCE)]

    assert len({pb.InvokeResponse.FromString(call.result()).json for call in calls}) == 1
    assert effects(standins, key) == 1
    (response,) = operator.call("Invoke", effect(key, key, ms=300))
    assert response.json == pb.InvokeResponse.FromString(calls[0].result()).json, "later too"
    assert effects(standins, key) == 1


def test_without_a_key_each_call_has_its_effect(standins: Standins, adapter: Adapter, key: str) -> None:
    ids = {adapter.invoke("STANDIN_EFFECT", {"note": key}).data["id"] for _ in range(3)}
    assert len(ids) == effects(standins, key) == 3


def test_a_key_with_other_arguments_is_a_conflict(standins: Standins, adapter: Adapter, key: str) -> None:
    first = adapter.invoke("STANDIN_EFFECT", {"note": key}, Idempotency_Key=key)
    for args in ({"note": f"{key}-other"}, {"note": key, "ms": 1}):
        refused = adapter.invoke("STANDIN_EFFECT", args, Idempotency_Key=key)
        refused.must_be("CONFLICT", says="other arguments")
        assert refused.status == 409
    assert adapter.invoke("STANDIN_EFFECT", {"note": key}, Idempotency_Key=key).data == first.data
    assert (effects(standins, key), effects(standins, f"{key}-other")) == (1, 0)


def test_a_key_with_other_arguments_is_a_conflict_while_the_first_call_runs(
    standins: Standins, operator: Caller, key: str
) -> None:
    call = start(operator, effect(key, key, ms=1500))
    eventually(lambda: effects(standins, key), what="the effect")

    refusal = operator.refusal("Invoke", effect(key, f"{key}-other"))

    assert (refusal.code, refusal.status) == ("CONFLICT", grpc.StatusCode.ALREADY_EXISTS)
    assert call.code() is grpc.StatusCode.OK


def test_each_client_and_actor_has_keys_of_its_own(standins: Standins, key: str) -> None:
    callers = [(standins.mesh.caller(name), actor) for name in ("operator", "adapter") for actor in ("", "ada", "bob")]
    results = [caller.call("Invoke", effect(key, key, actor))[0].json for caller, actor in callers]
    again = [caller.call("Invoke", effect(key, key, actor))[0].json for caller, actor in callers]

    assert len(set(results)) == effects(standins, key) == len(callers)
    assert again == results


def test_each_action_has_keys_of_its_own(standins: Standins, adapter: Adapter, key: str) -> None:
    assert adapter.invoke("STANDIN_EFFECT", {"note": key}, Idempotency_Key=key).data["id"]
    assert adapter.invoke("STANDIN_COUNT", {"key": key}, Idempotency_Key=key).data["count"] == 1
    assert effects(standins, key) == 1


def test_an_effect_whose_call_failed_is_not_repeated_under_its_key(
    standins: Standins, adapter: Adapter, key: str
) -> None:
    send = partial(adapter.invoke, "STANDIN_EFFECT", {"note": key, "fail": "ENGINE_FAIL"}, Idempotency_Key=key)
    send().must_be("ENGINE_FAIL")
    send().must_be("CONFLICT", says="may have taken effect", outcome="unknown")
    assert effects(standins, key) == 1


def test_a_call_that_was_refused_before_it_did_anything_leaves_its_key_free(
    standins: Standins, adapter: Adapter, key: str
) -> None:
    adapter.invoke("STANDIN_EFFECT", {"note": key, "ms": -1}, Idempotency_Key=key).must_be("BAD_ARG")
    assert adapter.invoke("STANDIN_EFFECT", {"note": key}, Idempotency_Key=key).ok
    assert effects(standins, key) == 1


def test_a_replica_killed_in_the_middle_of_an_effect_leaves_a_conflict_and_never_a_second_effect(
    standins: Standins, adapter: Adapter, key: str
) -> None:
    send = partial(adapter.invoke, "STANDIN_EFFECT", {"note": key, "ms": 5000}, Idempotency_Key=key)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(send)
        at_work(first, lambda: effects(standins, key), "the effect")
        standins.mesh.stack.part(dispatch_replicas.busy(standins.mesh)).kill()
        first.result().must_be("UNAVAILABLE")

    settled(send).must_be("CONFLICT", says="may have taken effect", outcome="unknown")

    assert effects(standins, key) == 1
    assert adapter.invoke("STANDIN_EFFECT", {"note": key}, Idempotency_Key=f"{key}-new").ok, "the way out it names"


def test_a_call_without_side_effects_is_made_again_after_its_replica_was_killed(
    standins: Standins, adapter: Adapter, key: str
) -> None:
    send = partial(adapter.invoke, "STANDIN_SLOW", {"seconds": 1, "key": key}, Idempotency_Key=key)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(send)
        at_work(first, lambda: standins.events("started", key=key), "the work")
        standins.mesh.stack.part(dispatch_replicas.busy(standins.mesh)).kill()
        first.result().must_be("UNAVAILABLE")

    assert settled(send).data["replica"] == "standin"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_call_made_again_after_the_adapter_died_gets_the_answer_and_no_second_effect(
    standins: Standins, adapter: Adapter, key: str, number: signal.Signals
) -> None:
    part = standins.mesh.stack.part("adapter")
    send = partial(adapter.invoke, "STANDIN_EFFECT", {"note": key, "ms": 1500}, Idempotency_Key=key)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(send)
        at_work(first, lambda: effects(standins, key), "the effect")
        if number is signal.SIGKILL:
            part.kill()
            assert isinstance(first.exception(), httpx.TransportError)
        else:
            part.stop()
            assert first.result().ok, "a drain lets calls end"
    part.start()
    part.wait_until_ready()

    again = settled(send)

    assert again.data["id"]
    if number is signal.SIGTERM:
        assert again.data == first.result().data
    assert effects(standins, key) == 1


def test_an_answer_that_was_given_survives_the_death_of_every_part_it_passed(
    standins: Standins, adapter: Adapter, key: str
) -> None:
    send = partial(adapter.invoke, "STANDIN_EFFECT", {"note": key}, Idempotency_Key=key)
    first = send()
    parts = [standins.mesh.stack.part(name) for name in (*dispatch_replicas.NAMES, "adapter", "redis-state")]
    for part in parts:
        part.kill()
    for part in parts:
        part.start()
    standins.mesh.stack.wait_until_ready()

    assert settled(send).data == first.data
    assert effects(standins, key) == 1


@pytest.mark.parametrize("bad", ["", "x" * 129, "two words", "키"])
def test_a_key_that_is_none_is_refused(standins: Standins, key: str, bad: str) -> None:
    body = {"action": "STANDIN_EFFECT", "args": {"note": key}}
    headers = {b"Idempotency-Key": bad.encode()}
    answer = standins.mesh.adapter.request("POST", "/mcp/invoke", json=body, headers=headers)
    answer.must_be("BAD_ARG", field="Idempotency-Key")
    assert effects(standins, key) == 0


def test_cached_actions_say_how_long_their_answer_may_be_used_again(adapter: Adapter, key: str) -> None:
    made, found = (adapter.invoke("STANDIN_COUNT", {"key": key}) for _ in range(2))

    assert [made.meta["cache"], found.meta["cache"]] == ["miss", "hit"]
    assert made.headers["etag"] == found.headers["etag"]
    assert made.headers["etag"].startswith('W/"')
    for answer, least in ((made, 600), (found, 560)):
        directive, age = answer.headers["cache-control"].split("=")
        assert directive == "private, max-age"
        assert least <= int(age) <= 600
    other = adapter.invoke("STANDIN_COUNT", {"key": f"{key}-other"})
    assert other.headers["etag"] != made.headers["etag"]


def test_no_cache_computes_anew(adapter: Adapter, key: str) -> None:
    assert adapter.invoke("STANDIN_COUNT", {"key": key}).data["count"] == 1
    anew = adapter.invoke("STANDIN_COUNT", {"key": key}, Cache_Control="no-cache")
    assert (anew.data["count"], anew.meta["cache"]) == (2, "miss")

    def newest_is_found() -> bool:
        found = adapter.invoke("STANDIN_COUNT", {"key": key})
        assert found.meta["cache"] == "hit"
        return bool(found.data["count"] == 2)

    eventually(newest_is_found, limit_s=2 * FRESH_S, what="the newest answer, from a replica that knew the one before")


def test_what_must_not_be_kept_says_so(adapter: Adapter, key: str) -> None:
    answers = [
        adapter.invoke("STANDIN_EFFECT", {"note": key}, Idempotency_Key=key),
        adapter.invoke("STANDIN_EFFECT", {"note": key}, Idempotency_Key=key),
        adapter.invoke("STANDIN_SLOW", {"seconds": 0}),
        adapter.invoke("STANDIN_COUNT", {}),
    ]
    found = Counter((answer.headers["cache-control"], "etag" in answer.headers) for answer in answers)
    assert found == {("no-store", False): len(answers)}
    assert {answer.meta["cache"] for answer in answers} == {"none"}
