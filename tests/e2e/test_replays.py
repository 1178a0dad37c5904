"""No call is accepted twice: not by two replicas at once, not by any clock, not when Redis dies or is full."""

import asyncio
import hashlib
import random
import secrets
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
import redis

from deploy.local.readiness import redis_answers
from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from papermesh.document.v1 import document_pb2
from services.dispatch.admission.epoch import state_lost
from tests.e2e.support import dispatch_replicas
from tests.e2e.support.caller import Caller, invocation
from tests.e2e.support.deployment import RATES_OUT_OF_THE_WAY, Deployment, deployed
from tests.e2e.support.volley import ACCEPTED, REPLAYED, Prepared, Volley, prepare
from tests.e2e.support.waiting import eventually

COUNT = 10_000
FAIR_SHARE = 0.25
"""The least that each of two replicas takes of the calls; Envoy gives a call to the one with less to do."""

ENOUGH_FOR_BOTH = 20
"""Calls of which Envoy, with two replicas at rest, gives some to each: it draws two at random."""

WINDOW_S = 300
"""How far a caller's clock may be off."""

SOME = 500
BACK_S = 2
"""How soon after its return calls work again."""

SETTLED_S = 1
"""How long they must go on working for that to count."""

JUNK_BYTES = 1024 * 1024
AWAY = "UNAVAILABLE: Calls cannot be verified right now. Try again."
LOST = f"UNAVAILABLE: {state_lost(0).message}"


@pytest.fixture(scope="module")
def doubled_mesh(good_document: Path) -> Iterator[Deployment]:
    with deployed(good_document, replicas={"dispatch": 2}, **RATES_OUT_OF_THE_WAY) as deployment:
        yield deployment


@pytest.fixture
def mesh(doubled_mesh: Deployment) -> Iterator[Deployment]:
    """Two replicas of dispatch; each test leaves both Redis and both replicas at work."""
    yield doubled_mesh
    eventually(doubled_mesh.works, what="a good call")
    doubled_mesh.must_have_met_no_bug()


@pytest.fixture
async def volley(mesh: Deployment) -> AsyncIterator[Volley]:
    async with Volley(mesh, "operator") as volley:
        yield volley


@pytest.fixture
def call(mesh: Deployment, operator: Caller) -> pb.InvokeRequest:
    """A call that both replicas answer from the cache."""
    request = invocation("PDF_METADATA", {"doc_ref": operator.put(mesh.good_document.read_bytes())})

    def is_cached() -> bool:
        return all(operator.call("Invoke", request)[0].cache == pb.CACHE_STATE_HIT for _ in range(ENOUGH_FOR_BOTH))

    # A replica reads no cache before it knows the engine's version.
    eventually(is_cached, what="an answer from the cache, from both")
    return request


def role(mesh: Deployment, name: str) -> redis.Redis:
    """One of the two roles of Redis, "redis-state" or "redis-cache"."""
    return redis.Redis(unix_socket_path=str(mesh.stack.folders.sockets / f"{name}.sock"))


def fill(server: redis.Redis) -> None:
    """Writes what is of no use to anybody until there is no room, with large values and then with small ones."""
    for size in (JUNK_BYTES, 1024, 16):
        before = server.info("stats")["evicted_keys"]
        with suppress(redis.exceptions.OutOfMemoryError):
            while server.info("stats")["evicted_keys"] == before:
                for _ in range(10):
                    server.set(f"junk:{secrets.token_hex(8)}", bytes(size))


def clear(server: redis.Redis) -> None:
    """Makes room again."""
    for key in server.scan_iter("junk:*", count=1000):
        server.delete(key)


def bring_back(mesh: Deployment, name: str) -> None:
    mesh.stack.part(name).start()
    mesh.stack.part(name).wait_until_ready()


def must_work_within(caller: Caller, request: pb.InvokeRequest, limit_s: float) -> float:
    """Fails unless the last call that is refused comes within that time; returns when it came, in seconds.

    The first good call proves little: dispatch may be about to be left out by a health check that knows of Redis late.
    """
    began, refused_s = time.monotonic(), 0.0
    while time.monotonic() - began < limit_s + SETTLED_S:
        try:
            caller.call("Invoke", request)
        except grpc.RpcError as error:
            # Not by its reason: what Envoy answers itself, having no replica to ask, has none.
            assert error.code() is grpc.StatusCode.UNAVAILABLE, error  # noqa: PT017 - it need not be raised
            refused_s = time.monotonic() - began
    assert refused_s < limit_s
    return refused_s


def written(mesh: Deployment) -> Path:
    """The file that Redis's state role adds to, with everything in it that was written until now."""
    marker = secrets.token_hex(16)
    with role(mesh, "redis-state") as state:
        state.set(f"junk:{marker}", "", ex=60)
    folder = mesh.stack.folders.redis("state")
    (log,) = [*folder.glob("appendonlydir/*.incr.aof"), *folder.glob("appendonly.aof")]  # since Redis 7, and before
    eventually(lambda: marker.encode() in log.read_bytes(), what="Redis's log")
    return log


async def send_until_decided(volley: Volley, calls: Sequence[Prepared]) -> list[str]:
    """Sends calls, and those again that could not be verified, until each was accepted or refused for good."""
    outcomes = dict(enumerate(await volley.send(calls)))
    end = time.monotonic() + 30
    while undecided := [number for number, outcome in outcomes.items() if outcome.startswith("UNAVAILABLE")]:
        assert time.monotonic() < end, Counter(outcomes.values())
        outcomes.update(zip(undecided, await volley.send([calls[each] for each in undecided]), strict=True))
    return list(outcomes.values())


async def test_of_ten_thousand_calls_sent_twice_to_two_replicas_one_of_each_is_accepted(
    mesh: Deployment, volley: Volley, operator: Caller, call: pb.InvokeRequest
) -> None:
    seed = secrets.randbits(32)
    print(f"seed {seed}")  # noqa: T201 - to repeat the order
    order = [*range(COUNT), *range(COUNT)]
    random.Random(seed).shuffle(order)  # noqa: S311 - an order, not a secret
    calls = prepare(operator, call, COUNT)
    before = dispatch_replicas.taken(mesh)

    began = time.monotonic()
    outcomes = await volley.send([calls[number] for number in order])
    seconds = time.monotonic() - began

    after = dispatch_replicas.taken(mesh)
    shares = {name: after[name] - before[name] for name in after}
    print(f"{len(order)} calls in {seconds:.1f} s: {dict(Counter(outcomes))}, by replica {shares}")  # noqa: T201
    assert Counter(outcomes) == {ACCEPTED: COUNT, REPLAYED: COUNT}
    accepted = Counter(number for number, outcome in zip(order, outcomes, strict=True) if outcome == ACCEPTED)
    assert set(accepted.values()) == {1}
    assert min(shares.values()) > FAIR_SHARE * len(order)


@pytest.mark.parametrize("seconds", [-290, 0, 290])
def test_a_nonce_is_remembered_for_longer_than_its_timestamp_can_be_used(
    mesh: Deployment, operator: Caller, call: pb.InvokeRequest, seconds: int
) -> None:
    at, nonce = datetime.now(UTC) + timedelta(seconds=seconds), secrets.token_urlsafe(18)
    skewed = operator.but(at=at, nonce=nonce)
    signed = skewed.sign("Invoke", call)
    assert operator.call("Invoke", call, signed)

    with role(mesh, "redis-state") as state:
        remembered_s = state.pttl(f"nonce:operator:{nonce}") / 1000
    usable_s = (at + timedelta(seconds=WINDOW_S) - datetime.now(UTC)).total_seconds()
    assert remembered_s > usable_s + 1, "a second for clocks that differ"
    operator.refusal("Invoke", call, signed).must_be("UNAUTHENTICATED", says="was made before")


@pytest.mark.measures_time
def test_a_nonce_is_remembered_no_shorter_after_redis_was_killed(
    mesh: Deployment, operator: Caller, call: pb.InvokeRequest
) -> None:
    at, nonce = datetime.now(UTC) + timedelta(seconds=290), secrets.token_urlsafe(18)
    signed = operator.but(at=at, nonce=nonce).sign("Invoke", call)
    assert operator.call("Invoke", call, signed)
    mesh.stack.part("redis-state").kill()
    bring_back(mesh, "redis-state")

    with role(mesh, "redis-state") as state:
        remembered_s = state.pttl(f"nonce:operator:{nonce}") / 1000
    assert remembered_s > (at + timedelta(seconds=WINDOW_S) - datetime.now(UTC)).total_seconds() + 1
    must_work_within(operator, call, BACK_S)
    operator.refusal("Invoke", call, signed).must_be("UNAUTHENTICATED", says="was made before")


async def test_no_call_is_accepted_again_after_redis_was_killed(
    mesh: Deployment, volley: Volley, operator: Caller, call: pb.InvokeRequest
) -> None:
    calls = prepare(operator, call, SOME)
    assert Counter(await volley.send(calls)) == {ACCEPTED: SOME}

    mesh.stack.part("redis-state").kill()
    bring_back(mesh, "redis-state")

    assert Counter(await send_until_decided(volley, calls)) == {REPLAYED: SOME}


async def test_no_call_is_accepted_again_after_redis_was_killed_and_lost_the_last_it_was_told(
    mesh: Deployment, volley: Volley, operator: Caller, call: pb.InvokeRequest
) -> None:
    # Redis loses what it had not written yet when the disk was slow; the end of its log is cut off to the same effect.
    log = written(mesh)
    length, before = log.stat().st_size, dispatch_replicas.taken(mesh)
    calls = prepare(operator, call, SOME)
    assert Counter(await volley.send(calls)) == {ACCEPTED: SOME}
    mesh.stack.part("redis-state").kill()
    with log.open("r+b") as file:
        kept = file.read(length)
        file.truncate(length)
    assert not [each for each in calls if each.nonce.encode() in kept]

    bring_back(mesh, "redis-state")
    began = time.monotonic()
    outcomes = [await send_until_decided(volley, calls) for _ in range(2)]

    after = dispatch_replicas.taken(mesh)
    print(f"{dict(Counter(outcomes[0] + outcomes[1]))}, {time.monotonic() - began:.1f} s after its return")  # noqa: T201 - figures
    assert Counter(outcomes[0] + outcomes[1]) == {REPLAYED: 2 * SOME}
    assert min(after[name] - before[name] for name in after) > FAIR_SHARE * SOME, "both replicas were asked"


async def test_no_call_is_accepted_twice_when_redis_is_killed_in_the_middle_of_them(
    mesh: Deployment, volley: Volley, operator: Caller, call: pb.InvokeRequest
) -> None:
    calls = prepare(operator, call, 4 * SOME)
    before = sum(dispatch_replicas.taken(mesh).values())
    sending = asyncio.create_task(volley.send(calls))
    # In a thread of its own: the calls go on while it waits.
    await asyncio.to_thread(
        eventually, lambda: sum(dispatch_replicas.taken(mesh).values()) > before + SOME, 30, "some of the calls"
    )
    await asyncio.to_thread(mesh.stack.part("redis-state").kill)
    first = await sending
    await asyncio.to_thread(bring_back, mesh, "redis-state")

    second = await send_until_decided(volley, calls)

    print(f"before {dict(Counter(first))}, after {dict(Counter(second))}")  # noqa: T201 - figures
    assert Counter(first)[ACCEPTED] >= SOME / 2
    assert all("UNAVAILABLE" in outcome for outcome in first if outcome != ACCEPTED)
    again = [outcome for outcome, earlier in zip(second, first, strict=True) if earlier == ACCEPTED]
    assert set(again) == {REPLAYED}


async def test_no_call_is_accepted_again_while_the_cache_is_full(
    mesh: Deployment, volley: Volley, operator: Caller, call: pb.InvokeRequest
) -> None:
    calls = prepare(operator, call, SOME)
    assert Counter(await volley.send(calls)) == {ACCEPTED: SOME}

    with role(mesh, "redis-cache") as cache:
        fill(cache)
        assert cache.info("stats")["evicted_keys"] > 0
        assert Counter(await volley.send(calls)) == {REPLAYED: SOME}
        assert Counter(await volley.send(prepare(operator, call, SOME))) == {ACCEPTED: SOME}
        clear(cache)


@pytest.mark.measures_time
async def test_while_the_state_is_full_new_calls_are_refused_and_none_is_accepted_again(
    mesh: Deployment, volley: Volley, operator: Caller, call: pb.InvokeRequest
) -> None:
    calls, fresh = prepare(operator, call, SOME), prepare(operator, call, SOME)
    assert Counter(await volley.send(calls)) == {ACCEPTED: SOME}

    with role(mesh, "redis-state") as state:
        limit = state.config_get("maxmemory")["maxmemory"]
        # Full without being filled: what Redis holds is twice what it may.
        state.config_set("maxmemory", state.info("memory")["used_memory"] // 2)
        try:
            # Whoever knows the nonce may say so; whoever cannot write it down must not let a call in.
            assert set(await volley.send(calls)) <= {AWAY, REPLAYED}
            assert Counter(await volley.send(fresh)) == {AWAY: SOME}
            assert state.info("stats")["evicted_keys"] == 0
        finally:
            state.config_set("maxmemory", limit)

    must_work_within(operator, call, BACK_S)
    assert Counter(await volley.send(calls)) == {REPLAYED: SOME}
    assert Counter(await volley.send(fresh)) == {ACCEPTED: SOME}, "a call that was refused used up no nonce"


def test_at_the_limit_of_the_state_calls_and_deletions_work_and_uploads_do_not(
    mesh: Deployment, operator: Caller, call: pb.InvokeRequest
) -> None:
    content, other = (b"%PDF-" + secrets.token_bytes(100) for _ in range(2))
    deletion = pb.DeleteDocumentRequest(doc_ref=document_pb2.DocumentRef(**operator.put(content)))
    with role(mesh, "redis-state") as state:
        limit = state.config_get("maxmemory")["maxmemory"]
        state.config_set("maxmemory", int(state.info("memory")["used_memory"] * 0.9))
        try:
            with pytest.raises(redis.exceptions.OutOfMemoryError):
                state.set("junk:one", "more")
            assert operator.call("Invoke", call)
            header = pb.PutDocumentHeader(sha256=hashlib.sha256(other).hexdigest(), size=len(other))
            operator.put_refusal(header, [other]).must_be("UNAVAILABLE", reason="state_full")
            assert operator.call("DeleteDocument", deletion)
            assert not state.exists(f"holders:{deletion.doc_ref.sha256}")
        finally:
            state.config_set("maxmemory", limit)
    operator.put(other)


@pytest.fixture
def losing(mesh: Deployment) -> Iterator[redis.Redis]:
    """Redis, for a test that has it lose things. Nobody knows of it afterwards: calls signed earlier are good again."""
    with role(mesh, "redis-state") as state:
        yield state
        state.set("epoch", 0)
    for name in dispatch_replicas.NAMES:
        mesh.stack.part(name).stop()
        bring_back(mesh, name)


async def test_no_call_is_accepted_again_after_redis_lost_everything_and_the_operator_is_told(
    mesh: Deployment, volley: Volley, operator: Caller, call: pb.InvokeRequest, losing: redis.Redis
) -> None:
    calls = prepare(operator, call, SOME)
    assert Counter(await volley.send(calls)) == {ACCEPTED: SOME}

    losing.flushall()
    again = Counter(await volley.send(calls)) + Counter(await volley.send(calls))

    assert set(again) <= {LOST, REPLAYED}, again
    assert again[LOST] == SOME, "each once, and its nonce is used up"
    for replica in dispatch_replicas.taken(mesh):
        mesh.must_have_told(replica, "state_lost")

    def is_put_again() -> bool:
        with suppress(grpc.RpcError):
            operator.put(mesh.good_document.read_bytes())
            return bool(operator.call("Invoke", call))
        return False

    eventually(is_put_again, limit_s=10, what="a call that was signed after the loss")
    assert set(await volley.send(calls)) == {REPLAYED}


@pytest.mark.measures_time
@pytest.mark.parametrize("how", ["stopped", "killed", "hanging"])
async def test_while_redis_is_away_calls_are_refused_and_soon_after_its_return_they_work(
    mesh: Deployment, volley: Volley, operator: Caller, call: pb.InvokeRequest, how: str
) -> None:
    part = mesh.stack.part("redis-state")
    calls = prepare(operator, call, SOME)
    match how:
        case "stopped":
            part.stop()
        case "killed":
            part.kill()
        case _:
            part.kill(signal.SIGSTOP)
    try:
        outcomes = await volley.send(calls)
    finally:
        if how == "hanging":
            part.kill(signal.SIGCONT)
            eventually(lambda: redis_answers(mesh.stack.folders.sockets / "redis-state.sock"))
        else:
            bring_back(mesh, "redis-state")
    seconds = must_work_within(operator, call, BACK_S)

    print(f"Redis {how}: {dict(Counter(outcomes))}; the last call refused {seconds:.2f} s after its return")  # noqa: T201
    assert all(outcome.startswith("UNAVAILABLE") for outcome in outcomes), Counter(outcomes)
