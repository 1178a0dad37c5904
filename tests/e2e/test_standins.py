"""The stand-in does what tests of the mesh rely on."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from tests.e2e.support.standins.deployed import Standins, deployed_with_standins
from tests.e2e.support.waiting import eventually

REPLICAS = {"standin": 2}


@pytest.fixture(scope="module")
def standins(good_document: Path) -> Iterator[Standins]:
    with deployed_with_standins(good_document, replicas=REPLICAS) as standins:
        yield standins


@pytest.fixture
def key() -> str:
    """A key that no other test uses."""
    return secrets.token_hex(8)


def test_its_actions_are_in_the_catalogue_with_their_schemas(standins: Standins) -> None:
    listed = {each["name"]: each for each in standins.mesh.adapter.request("GET", "/actions").data["actions"]}
    own = {name: each for name, each in listed.items() if name.startswith("STANDIN_")}
    assert {"STANDIN_SLOW", "STANDIN_FAIL", "STANDIN_COUNT", "STANDIN_EFFECT", "STANDIN_BIG"} < own.keys()
    assert own["STANDIN_COUNT"]["args_schema"]["required"] == ["key"]


def test_both_replicas_are_called(standins: Standins) -> None:
    def answered_by() -> str:
        return str(standins.mesh.adapter.invoke("STANDIN_FAIL").data["replica"])

    seen: set[str] = set()
    eventually(lambda: seen.add(answered_by()) or len(seen) == 2, what="an answer of each")


def test_how_a_call_went_is_written_down(standins: Standins, key: str) -> None:
    answer = standins.mesh.adapter.invoke("STANDIN_SLOW", {"seconds": 0.1, "key": key})
    started, finished = standins.events(key=key)
    assert (started.what, finished.what) == ("started", "finished")
    assert finished.at - started.at >= 0.1
    assert [each.what for each in standins.events(key=key, replica=answer.data["replica"])] == ["started", "finished"]


def test_a_count_says_how_often_it_was_computed(standins: Standins, key: str) -> None:
    assert standins.mesh.adapter.invoke("STANDIN_COUNT", {"key": key}).data["count"] == 1
    assert len(standins.events("started", key=key)) == 1


def test_a_count_with_a_document_needs_a_right_to_it(standins: Standins, key: str) -> None:
    reference = standins.mesh.adapter.reference(standins.mesh.good_document)
    args = {"doc_ref": reference, "key": key}
    assert standins.mesh.adapter.invoke("STANDIN_COUNT_DOCUMENT", args).data["count"] == 1
    unknown = {"doc_ref": {**reference, "sha256": "0" * 64}, "key": key}
    standins.mesh.adapter.invoke("STANDIN_COUNT_DOCUMENT", unknown).must_be("NOT_FOUND")
    assert len(standins.events("started", key=key)) == 1


def test_an_effect_is_written_down_even_when_its_call_fails(standins: Standins, key: str) -> None:
    args = {"note": key, "fail": "ENGINE_FAIL"}
    standins.mesh.adapter.invoke("STANDIN_EFFECT", args).must_be("ENGINE_FAIL", says="it was done")
    assert [each.what for each in standins.events(key=key)] == ["started", "effect", "failed"]


def test_a_result_is_as_big_as_was_asked_for(standins: Standins, key: str) -> None:
    for seed in ("", key):
        answer = standins.mesh.adapter.invoke("STANDIN_BIG", {"size": 100_000, "seed": seed})
        assert len(answer.data["text"]) == 100_000
    standins.mesh.adapter.invoke("STANDIN_BIG", {"size": 17_000_000}).must_be("TOO_LARGE", limit_bytes="16777216")


def test_what_one_replica_is_told_the_other_does_not_do(standins: Standins, key: str) -> None:
    with standins.told("standin-2", fail=grpc.StatusCode.ABORTED):
        answers = [standins.mesh.adapter.invoke("STANDIN_FAIL", {"key": key}) for _ in range(20)]
    assert {answer.code for answer in answers} == {"", "INTERNAL"}
    assert {answer.data["replica"] for answer in answers if answer.ok} == {"standin"}
    assert standins.events("failed", key=key) == standins.events("failed", key=key, replica="standin-2")
