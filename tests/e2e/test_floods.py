"""One client that calls fifty times as often as it may: it is refused, told when to come back, and alone in that."""

import itertools
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

import psutil
import pytest
import redis

from mcp_adapter.people.api_keys import digest, new_api_key
from mcp_adapter.people.api_keys_file import ApiKey, changing
from tests.e2e.support.adapter import Answer
from tests.e2e.support.caller import Caller, Channel, invocation, path
from tests.e2e.support.deployment import CLIENTS, Deployment, deployed
from tests.e2e.support.flood import Outcomes, Sent, flood
from tests.e2e.support.waiting import eventually

pytestmark = pytest.mark.measures_time

PER_SECOND, BURST = 2, 20
"""What an actor may make of PDF_METADATA."""

FLOOD_S = 10
TIMES = 50

MIB = 1024 * 1024

UNKNOWN_BURST, UNKNOWN_PER_SECOND = 30, 2
"""What Envoy lets pass of one client's calls that name no action."""

CLIENT_BURST, CLIENT_PER_SECOND = 600, 100
"""What dispatch lets one client call in all."""

EDGE_BURST, EDGE_PER_SECOND = 1_200, 200
"""What Envoy lets one client call in all."""

Connect = Callable[[str], Channel]


@pytest.fixture(scope="module")
def mesh(good_document: Path) -> Iterator[Deployment]:
    """A mesh of its own, with rates as they are."""
    with deployed(good_document) as mesh:
        yield mesh
        mesh.must_have_met_no_bug()


@pytest.fixture
def connect(mesh: Deployment) -> Iterator[Connect]:
    """Opens connections of a client, which no other call of the test shares."""
    opened: list[Channel] = []

    def connection(client: str) -> Channel:
        folder = f"client/{client}" if client in CLIENTS else client
        opened.append(Channel(mesh.stack.edge_address, mesh.tls_dir(folder)))
        return opened[-1]

    yield connection
    for channel in opened:
        channel.close()


class Victim:
    """Somebody who calls at the pace that is theirs, all the while."""

    def __init__(self, caller: Caller, content: bytes, actor: str = "") -> None:
        self.codes: list[str] = []
        self._caller = caller
        self._request = invocation("PDF_METADATA", {"doc_ref": caller.put(content, actor)}, actor)
        self._leave = threading.Event()

    def __enter__(self) -> Self:
        self._pool = ThreadPoolExecutor(1)
        self._running = self._pool.submit(self._run)
        return self

    def __exit__(self, *_: object) -> None:
        self._leave.set()
        self._pool.shutdown()
        self._running.result()

    def must_have_been_served(self, seconds: float) -> None:
        assert len(self.codes) >= PER_SECOND * seconds / 2, "they had no time to call"
        assert set(self.codes) == {""}, self.codes

    def _run(self) -> None:
        while not self._leave.wait(1 / PER_SECOND):
            self.codes.append(self._caller.outcome("Invoke", self._request))


def calls(caller: Caller, actions: Iterator[str], actors: Iterator[str], args: dict[str, object]) -> Iterator[Sent]:
    """Signed calls without end."""
    for action, actor in zip(actions, actors, strict=False):
        request = invocation(action, args, actor)
        yield Sent(path("Invoke"), request.SerializeToString(), caller.sign("Invoke", request))


def invented(prefix: str) -> Iterator[str]:
    return (f"{prefix}{secrets.token_hex(6)}" for _ in itertools.count())


def must_be_refused_for_the_rate(outcomes: Outcomes, *, served: str, burst: int, per_second: float, s: float) -> None:
    """Fails unless the flood got what its bucket holds, and else was told when to come back."""
    figures(outcomes, s)
    assert set(outcomes.codes) == {served, "RATE_LIMIT"}
    assert outcomes.hurried == 0
    assert burst / 2 <= outcomes.codes[served] <= burst + per_second * (s + 2) + 2


def test_a_client_at_fifty_times_its_rate_gets_its_rate_and_others_get_theirs(
    mesh: Deployment, connect: Connect
) -> None:
    content = mesh.good_document.read_bytes()
    reports = mesh.caller("reports")
    args = {"doc_ref": reports.put(content)}
    sent = calls(reports, itertools.repeat("PDF_METADATA"), itertools.repeat(""), args)
    rate = TIMES * PER_SECOND

    began = time.monotonic()
    with Victim(mesh.caller("narrow"), content) as victim:
        outcomes = flood(connect("reports"), sent, FLOOD_S * rate, rate)
    took_s = time.monotonic() - began

    must_be_refused_for_the_rate(outcomes, served="", burst=BURST, per_second=PER_SECOND, s=took_s)
    victim.must_have_been_served(FLOOD_S)


def test_an_actor_at_fifty_times_its_rate_empties_no_other_actors_bucket(mesh: Deployment, connect: Connect) -> None:
    content = mesh.good_document.read_bytes()
    crowd = mesh.caller("crowd")
    args = {"doc_ref": crowd.put(content, "ada")}
    sent = calls(crowd, itertools.repeat("PDF_METADATA"), itertools.repeat("ada"), args)
    rate = TIMES * PER_SECOND

    began = time.monotonic()
    with Victim(crowd, content, "bob") as bob, Victim(mesh.caller("narrow"), content) as victim:
        outcomes = flood(connect("crowd"), sent, FLOOD_S * rate, rate)
    took_s = time.monotonic() - began

    must_be_refused_for_the_rate(outcomes, served="", burst=BURST, per_second=PER_SECOND, s=took_s)
    bob.must_have_been_served(FLOOD_S)
    victim.must_have_been_served(FLOOD_S)


def test_actions_that_are_invented_share_one_small_bucket_and_touch_no_other(
    mesh: Deployment, connect: Connect
) -> None:
    content = mesh.good_document.read_bytes()
    rude = mesh.caller("rude")
    reference = rude.put(content)
    asked, refused = mesh.counter("cluster.dispatch.upstream_rq_total"), rate_limited(mesh)
    rate = TIMES * UNKNOWN_PER_SECOND

    began = time.monotonic()
    with Victim(mesh.caller("narrow"), content) as victim:
        sent = calls(rude, invented("FLOOD_"), itertools.repeat(""), {})
        outcomes = flood(connect("rude"), sent, FLOOD_S * rate, rate)
    took_s = time.monotonic() - began

    must_be_refused_for_the_rate(
        outcomes, served="BAD_ARG", burst=UNKNOWN_BURST, per_second=UNKNOWN_PER_SECOND, s=took_s
    )
    assert rate_limited(mesh) - refused == outcomes.codes["RATE_LIMIT"], "it was Envoy that refused"
    victims = len(victim.codes) + 2  # and their upload
    assert mesh.counter("cluster.dispatch.upstream_rq_total") - asked <= outcomes.codes["BAD_ARG"] + victims
    victim.must_have_been_served(FLOOD_S)
    assert rude.invoke("PDF_METADATA", {"doc_ref": reference})["pages"] == 3


def test_actors_that_are_invented_share_their_clients_bucket_and_leave_nothing_behind(
    mesh: Deployment, connect: Connect
) -> None:
    content = mesh.good_document.read_bytes()
    operator = mesh.caller("operator")
    args = {"doc_ref": {"type": "UPLOAD", "sha256": "0" * 64}}
    before = memory(mesh)

    began = time.monotonic()
    with Victim(mesh.caller("narrow"), content) as victim:
        sent = calls(operator, itertools.repeat("PDF_METADATA"), invented("actor-"), args)
        outcomes = flood(connect("operator"), sent, 3_000, 1_000)
    took_s = time.monotonic() - began

    figures(outcomes, took_s, f"+{(memory(mesh) - before) / MIB:.1f} MiB")
    assert set(outcomes.codes) == {"NOT_FOUND", "RATE_LIMIT"}
    assert outcomes.hurried == 0
    assert outcomes.codes["NOT_FOUND"] <= CLIENT_BURST + CLIENT_PER_SECOND * took_s
    victim.must_have_been_served(took_s)
    assert memory(mesh) - before < 24 * MIB
    with state(mesh) as admin:
        assert len(admin.keys("nonce:operator:*")) <= EDGE_BURST + EDGE_PER_SECOND * took_s
        # An actor's bucket is full again half a second after its one call, and then it is no key.
        eventually(lambda: not admin.keys("bucket:operator\x1factor-*"), what="the end of the buckets")
        assert all(0 < admin.ttl(key) <= 660 for key in admin.scan_iter("nonce:*", count=1_000))


def test_rubbish_that_nobody_signed_ends_at_envoy(mesh: Deployment, connect: Connect) -> None:
    content = mesh.good_document.read_bytes()
    asked, refused, before = mesh.counter("cluster.dispatch.upstream_rq_total"), rate_limited(mesh), memory(mesh)

    def rubbish() -> Iterator[Sent]:
        for number in itertools.count():
            kinds = [(), (("x-action", "PDF_METADATA"),), (("x-action", secrets.token_hex(8)),)]
            yield Sent(path("Invoke"), secrets.token_bytes(2_000), kinds[number % 3])

    began = time.monotonic()
    with Victim(mesh.caller("narrow"), content) as victim:
        outcomes = flood(connect("adapter"), rubbish(), 4_000, 2_000)
    took_s = time.monotonic() - began

    reached = mesh.counter("cluster.dispatch.upstream_rq_total") - asked - len(victim.codes) - 1
    figures(outcomes, took_s, f"{reached} reached dispatch")
    # PDF_METADATA's bucket of the client, and the one of what names no action.
    assert outcomes.codes["RATE_LIMIT"] == rate_limited(mesh) - refused
    assert reached <= 1_300 + 130 * took_s
    assert outcomes.codes["RATE_LIMIT"] > outcomes.calls / 2
    assert outcomes.hurried == 0
    assert set(outcomes.codes) <= {"RATE_LIMIT", "UNAUTHENTICATED", "BAD_ARG"}
    assert memory(mesh) - before < 24 * MIB
    victim.must_have_been_served(took_s)


def test_over_http_a_flood_is_429_with_retry_after_and_others_are_served(mesh: Deployment) -> None:
    content = mesh.good_document.read_bytes()
    args = {"doc_ref": mesh.adapter.reference(content)}
    began = time.monotonic()
    with Victim(mesh.caller("narrow"), content) as victim, ThreadPoolExecutor(16) as people:
        answers: list[Answer] = list(
            people.map(lambda _: mesh.adapter.invoke("PDF_METADATA", args), range(2 * TIMES * PER_SECOND))
        )
    took_s = time.monotonic() - began

    for answer in answers:
        answer.must_be_well_formed()
    refused = [answer for answer in answers if not answer.ok]
    for answer in refused:
        answer.must_be("RATE_LIMIT")
        assert answer.status == 429
        assert answer.body["error"]["retry_after_ms"] > 0
        assert int(answer.headers["retry-after"]) >= 1
    assert len(answers) - len(refused) <= BURST + PER_SECOND * took_s + 2
    assert len(refused) > len(answers) / 2
    assert set(victim.codes) <= {""}


def test_one_person_who_floods_over_http_takes_nothing_from_the_adapters_buckets(
    good_document: Path, tmp_path: Path
) -> None:
    keys = {actor: new_api_key() for actor in ("ada", "bob")}
    file = tmp_path / "api-keys.json"
    with changing(file) as listed:
        listed += [ApiKey(actor, actor, digest(key), None) for actor, key in keys.items()]
    with deployed(good_document, PAPERMESH_AUTH="api-keys", PAPERMESH_API_KEYS_FILE=str(file)) as mesh:
        ada, bob = ({"Authorization": f"Bearer {key}"} for key in keys.values())
        args = {"doc_ref": mesh.adapter.upload(good_document.read_bytes(), **ada).data["doc_ref"]}
        asked = mesh.counter("cluster.dispatch.upstream_rq_total")
        began = time.monotonic()
        with ThreadPoolExecutor(8) as people:
            answers = list(people.map(lambda _: mesh.adapter.invoke("PDF_METADATA", args, **ada), range(TIMES * BURST)))
        took_s = time.monotonic() - began

        served = sum(answer.ok for answer in answers)
        for answer in answers:
            if not answer.ok:
                answer.must_be("RATE_LIMIT", reason="actor_rate")
        assert served <= BURST + PER_SECOND * took_s + 2
        # Of those who call at the same moment each may learn for itself that the bucket is empty, once it is.
        reached = mesh.counter("cluster.dispatch.upstream_rq_total") - asked
        print(f"{len(answers)} calls in {took_s:.1f} s: {served} served, {reached} reached dispatch")  # noqa: T201 - figures
        assert reached <= served + 8 * (PER_SECOND * took_s + 2)
        assert reached < len(answers) / 2
        assert rate_limited(mesh) == 0, "Envoy had nothing to refuse"
        assert mesh.adapter.upload(good_document.read_bytes(), **bob).ok
        assert mesh.adapter.invoke("PDF_METADATA", args, **bob).ok
        mesh.must_have_met_no_bug()


def test_the_scale_multiplies_the_rates_of_both_layers(good_document: Path) -> None:
    with deployed(good_document, PAPERMESH_RATE_SCALE="0.2") as slow:
        reports = slow.caller("reports")
        request = invocation("PDF_METADATA", {"doc_ref": reports.put(good_document.read_bytes())})
        nothing = invocation("NO_SUCH_ACTION", {})

        def served(call: object) -> int:
            codes = [reports.outcome("Invoke", call) for _ in range(30)]
            return codes.index("RATE_LIMIT")

        refused = rate_limited(slow)
        assert served(request) in (BURST // 5, BURST // 5 + 1, BURST // 5 + 2)
        assert rate_limited(slow) == refused, "it was dispatch that refused"
        assert served(nothing) in (UNKNOWN_BURST // 5, UNKNOWN_BURST // 5 + 1, UNKNOWN_BURST // 5 + 2)
        assert rate_limited(slow) > refused, "it was Envoy that refused"


def figures(outcomes: Outcomes, seconds: float, more: str = "") -> None:
    """For whoever looks on."""
    print(f"{outcomes.calls} calls in {seconds:.1f} s: {dict(outcomes.codes)} {more}")  # noqa: T201 - figures


def rate_limited(mesh: Deployment) -> int:
    """How many calls Envoy's flood limit has refused."""
    return mesh.counter("edge.http_local_rate_limit.rate_limited")


def memory(mesh: Deployment) -> int:
    """dispatch's, in bytes."""
    return psutil.Process(mesh.stack.part("dispatch").pid).memory_info().rss


def state(mesh: Deployment) -> redis.Redis:
    """Redis in its state role."""
    return redis.Redis(unix_socket_path=str(mesh.stack.folders.sockets / "redis-state.sock"))
