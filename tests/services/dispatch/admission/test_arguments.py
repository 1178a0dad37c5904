from pathlib import Path
from typing import Any

import orjson
import pytest
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from papermesh.pdf.v1 import pdf_service_pb2 as pb
from services.base import actions, canonical
from services.base.actions import Action
from services.base.errors import Code, PapermeshError
from services.dispatch.admission import arguments
from tests.support.protos import compile_proto

ACTIONS = actions.load().actions
SHA = "ab" * 32
UPLOAD = {"type": "UPLOAD", "sha256": SHA}


def faults(action: Action | str, args: dict[str, Any]) -> dict[str, str]:
    """Field to description of what is wrong."""
    with pytest.raises(PapermeshError) as caught:
        arguments.parse(ACTIONS[action] if isinstance(action, str) else action, args)
    assert caught.value.code is Code.BAD_ARG
    first = caught.value.violations[0]
    assert caught.value.message == f"{first.field or 'args'}: {first.description}"
    return {each.field: each.description for each in caught.value.violations}


def test_arguments_become_the_typed_request() -> None:
    request = arguments.parse(ACTIONS["PDF_TEXT"], {"doc_ref": UPLOAD, "pages": "1-3"})
    expected = pb.ExtractTextRequest(pages="1-3")
    expected.doc_ref.type, expected.doc_ref.sha256 = "UPLOAD", SHA
    assert request == expected


def test_null_means_not_given() -> None:
    request = arguments.parse(ACTIONS["PDF_TEXT"], {"doc_ref": {**UPLOAD, "path": None}, "pages": None})
    assert request == arguments.parse(ACTIONS["PDF_TEXT"], {"doc_ref": UPLOAD})


@pytest.mark.parametrize(
    ("action", "args", "field", "says"),
    [
        ("PDF_TEXT", {"doc_ref": UPLOAD, "page": "1"}, "page", "Arguments: doc_ref, pages"),
        ("PDF_TEXT", {"doc_ref": {**UPLOAD, "sha": ""}}, "doc_ref.sha", "no such argument"),
        ("PDF_TEXT", {}, "doc_ref", "required"),
        ("PDF_TEXT", {"doc_ref": None}, "doc_ref", "required"),
        ("PDF_TEXT", {"doc_ref": {}}, "doc_ref.type", "required"),
        ("PDF_TEXT", {"doc_ref": "x"}, "doc_ref", "must be an object"),
        ("PDF_TEXT", {"doc_ref": [UPLOAD]}, "doc_ref", "must be an object"),
        ("PDF_TEXT", {"doc_ref": {**UPLOAD, "sha256": 5}}, "doc_ref.sha256", "must be text"),
        ("PDF_TEXT", {"doc_ref": {**UPLOAD, "sha256": "x"}}, "doc_ref.sha256", "64 lower-case hexadecimal digits"),
        ("PDF_TEXT", {"doc_ref": {"type": "UPLOAD"}}, "doc_ref", "has sha256 and nothing else but a password"),
        ("PDF_TEXT", {"doc_ref": {**UPLOAD, "password": 5}}, "doc_ref.password", "must be text"),
        ("PDF_TEXT", {"doc_ref": {**UPLOAD, "password": "가" * 43}}, "doc_ref.password", "127 bytes"),
        ("PDF_TEXT", {"doc_ref": UPLOAD, "pages": "0"}, "pages", "page numbers from 1"),
        ("PDF_CHUNK", {"doc_ref": UPLOAD, "max_chars": "9"}, "max_chars", "must be a whole number"),
        ("PDF_CHUNK", {"doc_ref": UPLOAD, "max_chars": 2**31}, "max_chars", "must be from -2147483648 to 2147483647"),
        ("PDF_CHUNK", {"doc_ref": UPLOAD, "max_chars": 5}, "max_chars", "max_chars is 0 or from 100 to 8000"),
        ("PDF_EMBED", {"texts": "a"}, "texts", "must be a list"),
        ("PDF_EMBED", {"texts": ["a"], "encoding": "hex"}, "encoding", "must be one of base64, list"),
        ("PDF_EMBED", {"texts": ["a", 5]}, "texts[1]", "must be text"),
        ("PDF_EMBED", {"texts": ["a", None]}, "texts[1]", "must be text"),
        ("PDF_EMBED", {"texts": ["a", "b" * 8001]}, "texts[1]", "8000"),
        ("PDF_EMBED", {}, "", "give either doc_ref or texts"),
        ("PDF_DIFF", {"left": UPLOAD, "right": {"type": "NOWHERE"}}, "right.type", "UPLOAD"),
        ("GITLAB_GUIDE", {"guide": "g", "variables": {"HOST": 5}}, "variables.HOST", "must be text"),
        ("GITLAB_GUIDE", {"guide": "g", "variables": []}, "variables", "must be an object"),
    ],
)
def test_a_fault_is_named_by_its_field(action: str, args: dict[str, Any], field: str, says: str) -> None:
    found = faults(action, args)
    assert list(found) == [field]
    assert says in found[field]


def test_every_fault_is_named() -> None:
    args = {"doc_ref": {"type": 1, "sha256": 2, "x": 3}, "pages": 4, "y": 5}
    assert set(faults("PDF_TEXT", args)) == {"doc_ref.type", "doc_ref.sha256", "doc_ref.x", "pages", "y"}
    assert set(faults("PDF_DIFF", {})) == {"left", "right"}


def test_a_hundred_faults_are_not_all_named() -> None:
    assert len(faults("PDF_TEXT", {f"x{number}": 1 for number in range(100)})) == 20


def test_a_long_name_is_cut_off() -> None:
    assert max(map(len, faults("PDF_TEXT", {"x" * 100_000: 1}))) <= 200


BODY = """
// Room with rooms inside.
message Room {
  // Number of it.
  uint32 number = 1;
  // Rooms inside.
  repeated Room rooms = 2;
}
// AskRequest has what no action of ours has.
message AskRequest {
  // Room of it.
  Room room = 1;
  // Rooms by floor.
  map<int32, Room> floors = 2;
  // Ratio of it.
  float ratio = 3;
  // Flags of it.
  repeated bool flags = 4;
  // Raw bytes.
  bytes raw = 5;
  // Free form.
  google.protobuf.Struct free = 6;
  // Since when.
  google.protobuf.Timestamp since = 7;
  // Counts by name.
  map<string, int64> counts = 8;
}
// AskResponse answers.
message AskResponse {
  // Json is this result as JSON text.
  string json = 1;
}
// HouseService is in-house.
service HouseService {
  // Ask asks.
  rpc Ask(AskRequest) returns (AskResponse) {
    option (papermesh.options.v1.action) = {
      name: "HOUSE_ARGUMENTS" timeout: {seconds: 3} rate: {requests_per_minute: 60 burst: 5}
    };
  }
}
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Action:
    folder: Path = tmp_path_factory.mktemp("protos")
    return actions.load(compile_proto(BODY, folder).descriptors).actions["HOUSE_ARGUMENTS"]


@pytest.mark.parametrize(
    ("args", "field"),
    [
        ({"room": {"rooms": [{}, {"rooms": [{"number": -1}]}]}}, "room.rooms[1].rooms[0].number"),
        ({"room": {"rooms": [5]}}, "room.rooms[0]"),
        ({"floors": {"1": {"number": "x"}}}, "floors.1.number"),
        ({"floors": {"1": None}}, "floors.1"),
        ({"floors": {"first": {}}}, "floors.first"),
        ({"floors": {"2147483648": {}}}, "floors.2147483648"),
        ({"ratio": True}, "ratio"),
        ({"flags": [True, 1]}, "flags[1]"),
        ({"raw": "*"}, "raw"),
        ({"raw": "é"}, "raw"),
        ({"free": []}, "free"),
        ({"since": "yesterday"}, "since"),
        ({"counts": {"a": 1.5}}, "counts.a"),
    ],
)
def test_faults_of_any_type_are_named(house: Action, args: dict[str, Any], field: str) -> None:
    assert list(faults(house, args)) == [field]


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | text | st.just(SHA) | st.just("UPLOAD")
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3), max_leaves=8
)


def with_known_names(action: Action) -> st.SearchStrategy[dict[str, Any]]:
    """Arguments under the action's own names, of any type, and some that are nearly right."""
    names = st.sampled_from([*action.args_schema["properties"], "unknown"])  # type: ignore[misc]
    document = st.dictionaries(st.sampled_from(["type", "sha256", "path", "x"]), values, max_size=4)
    return st.dictionaries(names, values | document | st.just(UPLOAD), max_size=4)


def refusal(action: Action, args: dict[str, Any]) -> PapermeshError | None:
    """The error that these arguments end with, if they do."""
    try:
        arguments.parse(action, canonical.check_json(args))
    except PapermeshError as error:
        return error
    return None


@given(st.sampled_from(sorted(ACTIONS)).flatmap(lambda name: st.tuples(st.just(name), with_known_names(ACTIONS[name]))))
def test_any_json_is_parsed_or_a_bad_argument(call: tuple[str, dict[str, Any]]) -> None:
    name, args = call
    error = refusal(ACTIONS[name], args)
    assert error is None or (error.code is Code.BAD_ARG and error.violations)


@given(st.data())
def test_any_json_for_an_in_house_action_is_parsed_or_a_bad_argument(house: Action, data: st.DataObject) -> None:
    error = refusal(house, data.draw(with_known_names(house)))
    assert error is None or (error.code is Code.BAD_ARG and error.violations)


class TestWhatIsAskedAgain:
    ACTION = ACTIONS["PDF_TEXT"]

    def asked(self, asker: str, **more: str) -> Message:
        return arguments.recent(self.ACTION, orjson.dumps({"doc_ref": UPLOAD, **more}), asker)

    def test_is_read_once_for_each_asker(self) -> None:
        assert self.asked("reports/ann") is self.asked("reports/ann")
        assert self.asked("reports/ann") is not self.asked("reports/bob")
        assert self.asked("reports/ann") == self.asked("reports/bob")

    def test_is_not_mixed_up_with_other_arguments(self) -> None:
        assert self.asked("reports/ann", pages="1") != self.asked("reports/ann", pages="2")

    def test_is_read_again_when_it_is_long(self) -> None:
        long = orjson.dumps({"doc_ref": UPLOAD}) + b" " * 4096
        first, second = (arguments.recent(self.ACTION, long, "reports/ann") for _ in range(2))
        assert first is not second

    def test_is_read_again_when_it_is_secret(self) -> None:
        before = arguments._read.cache_info()
        args = orjson.dumps({"doc_ref": {**UPLOAD, "password": "x"}})
        first, second = (arguments.recent(self.ACTION, args, "reports/ann", is_secret=True) for _ in range(2))
        assert first is not second
        assert arguments._read.cache_info() == before

    def test_is_refused_again_when_it_was_wrong(self) -> None:
        for _ in range(2):
            with pytest.raises(PapermeshError, match="no such argument"):
                self.asked("reports/ann", page="1")
