"""Which buckets a call is taken from, and how large they are."""

from typing import Any

from services.base import actions
from services.base.actions import Rate
from services.base.errors import ACTOR_RATE, CLIENT_RATE
from services.dispatch.admission.clients import Client
from services.dispatch.admission.limits import Limits
from services.dispatch.admission.state import Bucket
from services.dispatch.admission.verification import Caller
from tests.support.clients import ADAPTER_ID, ADAPTER_KEY, SERVICE, entry

TABLE = actions.load()
TEXT = TABLE.actions["PDF_TEXT"]
ALL = Rate(600, 60)
LIMITS = Limits(ALL, TABLE.methods)


def caller(actor: str = "ada", **entry_: Any) -> Caller:
    return Caller(Client.model_validate(entry(ADAPTER_KEY, certificate=ADAPTER_ID, **entry_)), actor, "n" * 16, 0)


def test_a_call_of_an_action_is_taken_from_the_whole_clients_bucket_and_the_actors_own() -> None:
    assert LIMITS.of_action(caller(), TEXT) == [
        Bucket("adapter", ALL, CLIENT_RATE),
        Bucket("adapter\x1fada\x1fPDF_TEXT", TEXT.rate, ACTOR_RATE),
    ]


def test_each_actor_and_each_action_has_a_bucket() -> None:
    calls = [(actor, action) for actor in ("ada", "bob") for action in ("PDF_TEXT", "PDF_OUTLINE")]
    own = [LIMITS.of_action(caller(actor), TABLE.actions[action])[1].name for actor, action in calls]
    assert len(set(own)) == len(calls)


def test_a_call_of_a_method_is_limited_alike() -> None:
    path = f"{SERVICE}/PutDocument"
    assert LIMITS.of_method(caller(), path) == [
        Bucket("adapter", ALL, CLIENT_RATE),
        Bucket("adapter\x1fada\x1fPutDocument", TABLE.methods[path].rate or ALL, ACTOR_RATE),
    ]


def test_a_clients_own_rates_go_before_the_deployments_and_the_protos() -> None:
    few, fewer, fewest = ({"requests_per_minute": each, "burst": 1} for each in (30, 20, 10))
    who = caller(rate=few, rates={"PDF_TEXT": fewer, "PutDocument": fewest})
    assert [bucket.rate for bucket in LIMITS.of_action(who, TEXT)] == [Rate(30, 1), Rate(20, 1)]
    assert [bucket.rate for bucket in LIMITS.of_method(who, f"{SERVICE}/PutDocument")] == [Rate(30, 1), Rate(10, 1)]
    assert LIMITS.of_action(who, TABLE.actions["PDF_OUTLINE"])[1].rate == TABLE.actions["PDF_OUTLINE"].rate
