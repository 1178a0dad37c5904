"""A proto's JSON Schema, held against what dispatch does with the same arguments."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from services.base import actions
from services.base.actions import Action
from services.base.errors import PapermeshError
from services.dispatch.admission import arguments
from tests.support.protos import compile_proto

SHA = "ab" * 32
UPLOAD = {"type": "UPLOAD", "sha256": SHA}

BODY = """
// Kind of house.
enum Kind {
  // Not known.
  KIND_UNSPECIFIED = 0;
  // A cottage.
  KIND_COTTAGE = 1;
}
// Room of a house, with rooms inside.
message Room {
  // Name of it.
  string name = 1 [(buf.validate.field).string = {min_len: 2 max_len: 5}];
  // Rooms inside.
  repeated Room rooms = 2;
}
// AskRequest has a field of every kind.
message AskRequest {
  // Required text.
  string text = 1 [(buf.validate.field).required = true];
  // Small number.
  int32 small = 2;
  // Unsigned number.
  uint32 unsigned = 3;
  // Large number.
  int64 large = 4;
  // Large unsigned number.
  uint64 large_unsigned = 5;
  // Ratio of it.
  double ratio = 6;
  // Yes or no.
  bool yes = 7;
  // Kind of it.
  Kind kind = 8;
  // Colour, when set.
  string colour = 9 [(buf.validate.field).ignore = IGNORE_IF_ZERO_VALUE,
    (buf.validate.field).string = {in: ["red", "blue"]}];
  // Tags of it.
  repeated string tags = 10 [(buf.validate.field).repeated = {min_items: 0 max_items: 2 items: {string: {max_len: 3}}}];
  // Room of it.
  Room room = 11;
  // Labels of it.
  map<string, string> labels = 12;
  // Floors by number.
  map<int32, Room> floors = 13;
  // Free form.
  google.protobuf.Struct free = 14;
  // Since when.
  google.protobuf.Timestamp since = 15;
  // How long.
  google.protobuf.Duration span = 16;
  // Switches by position.
  map<bool, string> switches = 17;
  // Digest, when set.
  string digest = 18 [(buf.validate.field).ignore = IGNORE_IF_ZERO_VALUE,
    (buf.validate.field).string.pattern = "^[0-9a-f]{4}$"];
  // Odd number.
  int32 odd = 19 [(buf.validate.field).cel = {
    id: "odd" message: "odd is 0 or odd" expression: "this == 0 || this % 2 == 1"}];
  // Raw bytes.
  bytes raw = 20;
  // Secret word.
  string secret = 21 [debug_redact = true, (buf.validate.field).string.max_bytes = 4];
  // Share of it, in per cent.
  optional int32 share = 22 [(buf.validate.field).int32 = {gte: 1 lte: 100}];
  // SteepSlope is how steep it is.
  double steep_slope = 24;
  // FlatRoof has a terrace.
  bool flat_roof = 25;
  // Slope of it.
  double slope = 23 [(buf.validate.field).double = {gt: -1 lt: 1}];
}
// AskResponse answers.
message AskResponse {
  // Room that was found.
  Room room = 1;
  // Json is this result as JSON text.
  string json = 2;
}
// HouseService is in-house.
service HouseService {
  // Ask asks.
  rpc Ask(AskRequest) returns (AskResponse) {
    option (papermesh.options.v1.action) = {
      name: "HOUSE_SCHEMA" timeout: {seconds: 3} rate: {requests_per_minute: 60 burst: 5}
    };
  }
}
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Action:
    compiled = compile_proto(BODY, tmp_path_factory.mktemp("protos"))
    return actions.load(compiled.descriptors).actions["HOUSE_SCHEMA"]


def both(action: Action, args: dict[str, Any]) -> tuple[bool, bool]:
    """Whether the schema, and whether dispatch, accepts these arguments."""
    by_schema = Draft202012Validator(dict(action.args_schema)).is_valid(args)
    try:
        arguments.parse(action, args)
    except PapermeshError:
        return by_schema, False
    return by_schema, True


@pytest.mark.parametrize("name", sorted(actions.load().actions))
@pytest.mark.parametrize("side", ["args_schema", "result_schema"])
def test_every_actions_schemas_are_valid(name: str, side: str) -> None:
    schema = dict(getattr(actions.load().actions[name], side))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)
    assert all(each.get("description") for each in schema["properties"].values())


@pytest.mark.parametrize(
    "args",
    [
        {},
        {"small": 2**31 - 1, "unsigned": 2**32 - 1, "large": 2**53 - 1, "large_unsigned": 2**53 - 1},
        {"small": -(2**31), "large": -(2**53) + 1},
        {"ratio": 0.5, "yes": True, "kind": "KIND_COTTAGE"},
        {"ratio": 1, "yes": False, "kind": "KIND_UNSPECIFIED"},
        {"colour": "red"},
        {"colour": ""},
        {"tags": []},
        {"tags": ["abc", ""]},
        {"room": {"name": "attic"}},
        {"room": {"name": "ab", "rooms": [{"name": "cd", "rooms": [{"name": "ef"}]}]}},
        {"labels": {"a": "b", "": ""}},
        {"floors": {"-1": {"name": "cellar"[:5]}, "0": {"name": "hall"}}},
        {"free": {"a": [1, {"b": None}], "c": "d"}},
        {"since": "2025-08-23T12:00:00Z", "span": "1.5s"},
        {"switches": {"true": "a", "false": "b"}},
        {"digest": "00ff"},
        {"digest": ""},
        {"odd": 3},
        {"share": 1, "slope": -0.5},
        {"share": 100, "slope": 0},
        {"raw": "AAECAw=="},
        {"secret": "abcd"},
        {"secret": "열"},
    ],
)
def test_what_the_schema_accepts_dispatch_takes(house: Action, args: dict[str, Any]) -> None:
    assert both(house, {"text": "x", **args}) == (True, True)


@pytest.mark.parametrize(
    "args",
    [
        {"text": 1},
        {"text": None, "unknown": 1},
        {"unknown": 1},
        {"small": 2**31},
        {"small": 1.5},
        {"small": "1"},
        {"small": True},
        {"unsigned": -1},
        {"unsigned": 2**32},
        {"large": 2**53},
        {"large_unsigned": -1},
        {"ratio": "1"},
        {"ratio": True},
        {"yes": 1},
        {"yes": "true"},
        {"kind": "KIND_CASTLE"},
        {"kind": 1},
        {"colour": "green"},
        {"tags": "abc"},
        {"tags": ["abcd"]},
        {"tags": ["a", "b", "c"]},
        {"tags": [1]},
        {"tags": [None]},
        {"room": []},
        {"room": {"name": "a"}},
        {"room": {"name": "abcdef"}},
        {"room": {"name": "ab", "unknown": 1}},
        {"room": {"name": "ab", "rooms": {}}},
        {"labels": []},
        {"labels": {"a": 1}},
        {"floors": {"1": []}},
        {"free": []},
        {"free": "x"},
        {"since": 5},
        {"span": "5"},
        {"span": 5},
        {"digest": "00FF"},
        {"digest": "00ff0"},
        {"secret": "abcde"},
        {"raw": 5},
        {"share": 0},
        {"share": 101},
        {"slope": 1},
        {"slope": -1.5},
    ],
)
def test_what_the_schema_refuses_dispatch_refuses(house: Action, args: dict[str, Any]) -> None:
    assert both(house, {"text": "x", **args}) == (False, False)


def test_a_secret_is_a_password_to_forms_and_nothing_else_is(house: Action) -> None:
    properties: Any = house.args_schema["properties"]
    assert [name for name, each in properties.items() if each.get("writeOnly")] == ["secret"]
    assert properties["secret"] | {"description": ""} == {
        "type": "string",
        "maxLength": 4,
        "format": "password",
        "writeOnly": True,
        "description": "",
    }


def test_a_password_of_a_document_is_a_secret() -> None:
    properties: Any = actions.load().actions["PDF_TEXT"].args_schema["properties"]
    assert properties["doc_ref"]["properties"]["password"]["format"] == "password"


def test_a_required_field_is_required(house: Action) -> None:
    assert both(house, {}) == (False, False)
    assert house.args_schema["required"] == ["text"]


@pytest.mark.parametrize("args", [{"odd": 2}, {"raw": "*"}, {"raw": "é"}, {"since": "yesterday"}])
def test_dispatch_also_checks_what_a_schema_cannot_say(house: Action, args: dict[str, Any]) -> None:
    assert both(house, {"text": "x", **args}) == (True, False)


def test_a_rule_over_several_arguments_stands_in_the_actions_description() -> None:
    described = actions.load().actions["PDF_EMBED"].args_schema["description"]
    assert "Rule: give either doc_ref or texts." in described


def test_descriptions_know_no_names_of_grpc(house: Action) -> None:
    properties = house.args_schema["properties"]
    assert properties["steep_slope"]["description"] == "How steep it is."
    assert properties["flat_roof"]["description"] == "flat_roof has a terrace."
    assert properties["slope"]["description"] == "Slope of it."


def test_a_rule_that_a_schema_cannot_say_stands_in_the_description(house: Action) -> None:
    properties: Any = house.args_schema["properties"]
    assert properties["odd"]["description"] == "Odd number.\n\nRule: odd is 0 or odd."


def test_results_allow_what_a_newer_service_adds(house: Action) -> None:
    validator = Draft202012Validator(dict(house.result_schema))
    assert validator.is_valid({"room": {"name": "ab", "newer": 1}, "newer": 2})
    assert not validator.is_valid({"room": 1})


GITLAB = {"type": "GITLAB", "project_path": "corp/policies", "path": "a.pdf"}


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("PDF_METADATA", {"doc_ref": UPLOAD}),
        ("PDF_TEXT", {"doc_ref": UPLOAD, "pages": ""}),
        ("PDF_TEXT", {"doc_ref": UPLOAD, "pages": "1-3,7"}),
        ("PDF_TEXT", {"doc_ref": GITLAB}),
        ("PDF_CHUNK", {"doc_ref": {**GITLAB, "ref": "main"}, "max_chars": 100}),
        ("PDF_EMBED", {"texts": ["a", "b"]}),
        ("PDF_PAGE_IMAGE", {"doc_ref": UPLOAD, "page": 2, "dpi": 200, "format": "webp", "inline": True}),
        ("PDF_PAGE_IMAGE", {"doc_ref": UPLOAD, "boxes": [{"x0": 0, "y0": 0.5, "x1": 9, "y1": 9, "color": "#00ff00"}]}),
        ("PDF_DIFF", {"left": UPLOAD, "right": GITLAB, "mode": "text"}),
        ("GITLAB_PROJECT_INFO", {"project": {"project_path": "corp/a/b"}}),
        ("GITLAB_GUIDE", {"guide": "restart", "variables": {"HOST": "a"}}),
    ],
)
def test_the_actions_own_examples_are_accepted(name: str, args: dict[str, Any]) -> None:
    assert both(actions.load().actions[name], args) == (True, True)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("PDF_METADATA", {}),
        ("PDF_METADATA", {"doc_ref": {}}),
        ("PDF_METADATA", {"doc_ref": {"type": "upload", "sha256": SHA}}),
        ("PDF_METADATA", {"doc_ref": {"type": "UPLOAD", "sha256": SHA.upper()}}),
        ("PDF_METADATA", {"doc_ref": {"type": "UPLOAD", "sha256": SHA[1:]}}),
        ("PDF_METADATA", {"doc_ref": {**GITLAB, "project_path": "corp"}}),
        ("PDF_METADATA", {"doc_ref": {**GITLAB, "project_path": "../etc/passwd"}}),
        ("PDF_METADATA", {"doc_ref": {**GITLAB, "path": "x" * 1025}}),
        ("PDF_METADATA", {"doc_ref": UPLOAD, "password": "x"}),
        ("PDF_TEXT", {"doc_ref": UPLOAD, "pages": "0"}),
        ("PDF_TEXT", {"doc_ref": UPLOAD, "pages": "1,"}),
        ("PDF_TEXT", {"doc_ref": UPLOAD, "pages": 1}),
        ("PDF_EMBED", {"texts": ["a"] * 257}),
        ("PDF_PAGE_IMAGE", {"doc_ref": UPLOAD, "dpi": 0}),
        ("PDF_PAGE_IMAGE", {"doc_ref": UPLOAD, "dpi": 201}),
        ("PDF_PAGE_IMAGE", {"doc_ref": UPLOAD, "page": 0}),
        ("PDF_PAGE_IMAGE", {"doc_ref": UPLOAD, "boxes": [{"color": "red"}]}),
        ("PDF_EMBED", {"texts": ["a"], "model": "other"}),
        ("PDF_DIFF", {"left": UPLOAD}),
        ("PDF_DIFF", {"left": UPLOAD, "right": UPLOAD, "mode": "fast"}),
    ],
)
def test_the_actions_own_rules_are_kept(name: str, args: dict[str, Any]) -> None:
    assert both(actions.load().actions[name], args) == (False, False)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("PDF_METADATA", {"doc_ref": {"type": "UPLOAD"}}),
        ("PDF_METADATA", {"doc_ref": {**UPLOAD, "path": "a.pdf"}}),
        ("PDF_METADATA", {"doc_ref": {**GITLAB, "sha256": SHA}}),
        ("PDF_CHUNK", {"doc_ref": UPLOAD, "max_chars": 99}),
        ("PDF_EMBED", {}),
        ("PDF_EMBED", {"doc_ref": UPLOAD, "texts": ["a"]}),
        ("PDF_EMBED", {"texts": ["a"], "pages": "1"}),
    ],
)
def test_the_actions_rules_over_several_fields_are_kept_by_dispatch(name: str, args: dict[str, Any]) -> None:
    assert both(actions.load().actions[name], args) == (True, False)
