"""Rates as they are: a bucket that is empty says when to come back, and nobody else's is any emptier."""

import time

import pytest

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from tests.e2e.support.adapter import Answer
from tests.e2e.support.caller import Caller, invocation
from tests.e2e.support.deployment import Deployment
from tests.e2e.support.waiting import eventually

BURST = 20
"""Of PDF_OUTLINE and of PDF_METADATA; both refill by two a second."""


def empty(mesh: Deployment, action: str, args: dict[str, object]) -> Answer:
    """Calls until the bucket is empty, and returns the refusal."""
    for _ in range(10 * BURST):
        answer = mesh.adapter.invoke(action, args)
        if not answer.ok:
            return answer
    raise AssertionError("the bucket never became empty")


@pytest.mark.measures_time
def test_a_flood_is_told_when_to_come_back_and_then_served(modest_mesh: Deployment) -> None:
    args: dict[str, object] = {"doc_ref": modest_mesh.adapter.reference(modest_mesh.good_document)}

    refusal = empty(modest_mesh, "PDF_OUTLINE", args)
    told = time.monotonic()

    refusal.must_be("RATE_LIMIT", says="try again")
    wait_ms = refusal.body["error"]["retry_after_ms"]
    assert 0 < wait_ms <= 500
    assert refusal.headers["retry-after"] == "1"
    assert len(refusal.meta["request_id"]) == 36
    eventually(lambda: time.monotonic() - told >= wait_ms / 1000)
    assert modest_mesh.adapter.invoke("PDF_OUTLINE", args).ok


def test_a_flood_of_one_action_leaves_the_others_alone(modest_mesh: Deployment) -> None:
    args: dict[str, object] = {"doc_ref": modest_mesh.adapter.reference(modest_mesh.good_document)}
    empty(modest_mesh, "PDF_OUTLINE", args).must_be("RATE_LIMIT")
    modest_mesh.must_still_work()


def test_a_flood_of_one_actor_leaves_the_others_alone(modest_mesh: Deployment) -> None:
    operator = modest_mesh.caller("operator")
    content = modest_mesh.good_document.read_bytes()
    for actor in ("ada", "bob"):
        operator.put(content, actor)
    request = invocation("PDF_OUTLINE", {"doc_ref": operator.put(content, "ada")}, "ada")

    refusals = [each for each in _tries(operator, request) if each]

    assert refusals
    assert set(refusals) == {"RATE_LIMIT"}
    assert operator.invoke("PDF_OUTLINE", {"doc_ref": operator.put(content, "bob")}, actor="bob")


def test_a_burst_of_the_size_that_the_catalogue_names_is_served(modest_mesh: Deployment) -> None:
    (rate,) = (
        action["rate"]
        for action in modest_mesh.adapter.request("GET", "/actions").data["actions"]
        if action["name"] == "PDF_OUTLINE"
    )
    operator = modest_mesh.caller("operator")
    request = invocation(
        "PDF_OUTLINE", {"doc_ref": operator.put(modest_mesh.good_document.read_bytes(), "cleo")}, "cleo"
    )

    served = _tries(operator, request).index("RATE_LIMIT")

    assert rate == {"requests_per_minute": 120, "burst": BURST}
    # While the calls are made, a few more drip into the bucket.
    assert BURST <= served <= BURST + 20


def test_calls_that_are_refused_as_wrong_are_counted_all_the_same(modest_mesh: Deployment) -> None:
    operator = modest_mesh.caller("operator")
    request = invocation("PDF_OUTLINE", {}, "dora")
    codes = _tries(operator, request)
    assert codes[0] == "BAD_ARG"
    assert "RATE_LIMIT" in codes


def _tries(operator: Caller, request: pb.InvokeRequest) -> list[str]:
    """The codes of calls in a row, "" for one that was served; the last one is the first refusal for its rate."""
    codes = [""]
    while codes[-1] != "RATE_LIMIT":
        assert len(codes) < 10 * BURST, "the bucket never became empty"
        codes.append(operator.outcome("Invoke", request))
    return codes[1:]
