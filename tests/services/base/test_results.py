"""Results of servicers that fill their response's fields."""

import json
from typing import Any

import jsonschema
import pytest
from google.protobuf import struct_pb2
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from services.base import actions
from services.base.actions import Action
from services.base.call import Call
from services.base.channel import MAX_RESULT_BYTES
from services.base.errors import Code, PapermeshError
from services.base.results import answer, result_json
from tests.support.protos import compile_proto

_PROTO = """
// Things.
service ThingService {
  // Get answers with a thing.
  rpc Get(GetRequest) returns (GetResponse) {
    option (papermesh.options.v1.action) = {
      name: "THING"
      timeout: {seconds: 1}
      rate: { requests_per_minute: 1 burst: 1 }
    };
  }
}
// No arguments.
message GetRequest {}
// Part of a thing.
message Part {
  // Name of it.
  string name = 1;
}
// A thing.
message GetResponse {
  // Kind of it.
  enum Kind {
    // Nobody knows.
    KIND_UNSPECIFIED = 0;
    // A round one.
    KIND_ROUND = 1;
  }
  // A long number.
  int64 long = 1;
  // A flag.
  bool flag = 2;
  // A ratio.
  double ratio = 3;
  // Bytes.
  bytes data = 4;
  // Its kind.
  Kind kind = 5;
  // Its parts.
  repeated Part parts = 6;
  // Counts by word.
  map<string, uint32> counts = 7;
  // Answers by yes and no.
  map<bool, Part> by_flag = 8;
  // The main part.
  Part main = 9;
  // When.
  google.protobuf.Timestamp at = 10;
  // How long.
  google.protobuf.Duration took = 11;
  // Anything.
  google.protobuf.Struct rest = 12;
  // A word that may be missing.
  optional string word = 13;
  // Words.
  repeated string words = 14;
  // The above as JSON.
  string json = 15;
}
"""


@pytest.fixture(scope="module")
def thing(tmp_path_factory: pytest.TempPathFactory) -> Action:
    compiled = compile_proto(_PROTO, tmp_path_factory.mktemp("proto"))
    return actions.load(compiled.descriptors).actions["THING"]


def call(*metadata: tuple[str, str]) -> Call:
    return Call("/thing", metadata, "", 1.0, "")


def made(thing: Action, **fields: Any) -> Message:
    return thing.response(**fields)


def as_json(message: Message) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(result_json(message))
    return fields


def test_every_field_is_written_also_those_at_their_default(thing: Action) -> None:
    assert as_json(made(thing)) == {
        "long": 0,
        "flag": False,
        "ratio": 0,
        "data": "",
        "kind": "KIND_UNSPECIFIED",
        "parts": [],
        "counts": {},
        "by_flag": {},
        "words": [],
    }


def test_values_are_as_people_send_them(thing: Action) -> None:
    rest = struct_pb2.Struct()
    rest.update({"deep": [1, "둘"]})
    part = {"name": "나사"}
    written = as_json(
        made(
            thing,
            long=2**53,
            data=b"\xff",
            kind="KIND_ROUND",
            parts=[part],
            counts={"a": 1},
            by_flag={True: part},
            main=part,
            at={"seconds": 0},
            took={"seconds": 90},
            rest=rest,
            word="",
        )
    )
    assert written["long"] == 2**53
    assert written["data"] == "/w=="
    assert written["kind"] == "KIND_ROUND"
    assert written["parts"] == [part]
    assert written["counts"] == {"a": 1}
    assert written["by_flag"] == {"true": part}
    assert written["main"] == part
    assert written["at"] == "1970-01-01T00:00:00Z"
    assert written["took"] == "90s"
    assert written["rest"] == {"deep": [1, "둘"]}
    assert written["word"] == ""


def test_dispatch_gets_the_json_alone(thing: Action) -> None:
    response = answer(made(thing, long=7), call(("x-action", "THING"), ("x-result", "json")))
    assert json.loads(response.json)["long"] == 7  # type: ignore[attr-defined]
    assert [field.name for field, _ in response.ListFields()] == ["json"]


def test_another_caller_gets_the_fields(thing: Action) -> None:
    response = made(thing, long=7)
    assert answer(response, call(("x-action", "THING"))) is response


def test_a_result_over_the_limit_is_too_large(thing: Action) -> None:
    with pytest.raises(PapermeshError) as caught:
        answer(made(thing, words=["x" * MAX_RESULT_BYTES]), call(("x-result", "json")))
    assert caught.value.code is Code.TOO_LARGE
    assert caught.value.details == {"limit_bytes": str(MAX_RESULT_BYTES)}


def test_a_number_that_json_cannot_write_is_a_bug(thing: Action) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        result_json(made(thing, ratio=float("nan")))


@given(
    long=st.integers(-(2**53) + 1, 2**53 - 1),
    ratio=st.floats(allow_nan=False, allow_infinity=False),
    data=st.binary(max_size=20),
    words=st.lists(st.text(st.characters(codec="utf-8"), max_size=5), max_size=3),
    counts=st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), st.integers(0, 2**32 - 1), max_size=3),
)
def test_a_result_fits_the_schema_that_the_catalogue_shows(thing: Action, **fields: Any) -> None:
    jsonschema.validate(as_json(made(thing, **fields)), dict(thing.result_schema))
