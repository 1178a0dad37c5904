"""The rules of the contract, each broken by a small proto of its own."""

from datetime import timedelta
from pathlib import Path

import pytest

from services.base import actions
from services.base.actions import Action, ActionTable, ContractError, Rate
from tests.support.protos import compile_proto

MESSAGES = """
// AskRequest asks.
message AskRequest {
  // Question to answer.
  string question = 1;
}
// AskResponse answers.
message AskResponse {
  // Answer to it.
  string answer = 1;
  // Json is this result as JSON text.
  string json = 2;
}
"""
ACTION = """option (papermesh.options.v1.action) = {
  name: "%s" timeout: {seconds: 3} rate: {requests_per_minute: 60 burst: 5}
};"""
INTERNAL = "option (papermesh.options.v1.internal) = {timeout: {seconds: 3}};"
NO_SIDE_EFFECTS = "option idempotency_level = NO_SIDE_EFFECTS;"


def load(folder: Path, options: str, *, comment: str = "// Ask answers a question.", messages: str = MESSAGES) -> str:
    """Loads a service with one method and returns the method's name, before the rules are checked."""
    body = (
        messages + "// HouseService is in-house.\nservice HouseService {\n"
        f"{comment}\nrpc Ask(AskRequest) returns (AskResponse) {{\n{options}\n}}\n}}\n"
    )
    compiled = compile_proto(body, folder)
    actions.load(compiled.descriptors)
    return compiled.package


def action(folder: Path, options: str, *, messages: str = MESSAGES) -> Action:
    body = (
        messages + "// HouseService is in-house.\nservice HouseService {\n// Ask answers a question.\n"
        f"rpc Ask(AskRequest) returns (AskResponse) {{\n{options}\n}}\n}}\n"
    )
    compiled = compile_proto(body, folder)
    table = actions.load(compiled.descriptors)
    [found] = [each for each in table.actions.values() if each.method.service == f"{compiled.package}.HouseService"]
    return found


class TestAnInHouseService:
    def test_joins_by_its_proto_alone(self, tmp_path: Path) -> None:
        found = action(tmp_path, NO_SIDE_EFFECTS + ACTION % "HOUSE_ASK")
        assert (found.name, found.description) == ("HOUSE_ASK", "Ask answers a question.")
        assert found.method.path.endswith(".HouseService/Ask")
        assert (found.method.timeout, found.rate) == (timedelta(seconds=3), Rate(60, 5))
        assert (found.cache_ttl, found.job, found.planned, found.method.read_only) == (None, False, False, True)
        assert found.request(question="?").SerializeToString() == b"\n\x01?"
        assert found.args_schema["properties"] == {"question": {"type": "string", "description": "Question to answer."}}
        assert "json" not in found.result_schema["properties"]  # type: ignore[operator]

    def test_stands_beside_the_built_in_ones(self, tmp_path: Path) -> None:
        body = MESSAGES + (
            "// HouseService is in-house.\nservice HouseService {\n// Ask asks.\nrpc Ask(AskRequest) returns"
            " (AskResponse) {" + ACTION % "HOUSE_BESIDE" + "}}"
        )
        table = actions.load(compile_proto(body, tmp_path).descriptors)
        assert set(actions.load().actions) | {"HOUSE_BESIDE"} == set(table.actions)
        assert list(table.actions) == sorted(table.actions)

    def test_whose_stub_lacks_what_it_imports_is_not_taken_from_its_descriptors(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        compiled = compile_proto(MESSAGES, tmp_path)
        (tmp_path / f"{compiled.descriptors.stem}_pb2.py").write_text("import a_module_that_nobody_has")
        monkeypatch.syspath_prepend(tmp_path)
        with pytest.raises(ModuleNotFoundError, match="a_module_that_nobody_has"):
            actions.load(compiled.descriptors)

    def test_may_have_methods_that_are_no_actions(self, tmp_path: Path) -> None:
        load(tmp_path, INTERNAL)

    def test_may_cache_what_has_no_side_effects(self, tmp_path: Path) -> None:
        cached = ACTION.replace("rate", "cache_ttl: {seconds: 60} rate") % "HOUSE_CACHED"
        assert action(tmp_path, NO_SIDE_EFFECTS + cached).cache_ttl == timedelta(minutes=1)


class TestTheContractRefuses:
    """A proto that breaks a rule; the error names the method or field, and the rule."""

    @pytest.mark.parametrize("options", ["", ACTION % "HOUSE_BOTH" + INTERNAL])
    def test_a_method_that_is_neither_or_both(self, tmp_path: Path, options: str) -> None:
        with pytest.raises(ContractError, match=r"HouseService\.Ask: needs exactly one of the options"):
            load(tmp_path, options)

    @pytest.mark.parametrize("timeout", ["", "timeout: {}", "timeout: {seconds: 0}", "timeout: {seconds: -1}"])
    @pytest.mark.parametrize("options", [ACTION % "HOUSE_TIMELESS", INTERNAL])
    def test_a_timeout_that_is_missing_or_not_above_zero(self, tmp_path: Path, options: str, timeout: str) -> None:
        with pytest.raises(ContractError, match=r"HouseService\.Ask: needs a timeout above zero"):
            load(tmp_path, options.replace("timeout: {seconds: 3}", timeout))

    @pytest.mark.parametrize(
        "rate",
        ["", "rate: {}", "rate: {burst: 1}", "rate: {requests_per_minute: 1}"],
    )
    def test_a_rate_that_is_missing_or_zero(self, tmp_path: Path, rate: str) -> None:
        options = (ACTION % "HOUSE_RATELESS").replace("rate: {requests_per_minute: 60 burst: 5}", rate)
        with pytest.raises(ContractError, match=r"HouseService\.Ask: needs a rate"):
            load(tmp_path, options)

    def test_an_action_without_a_name(self, tmp_path: Path) -> None:
        with pytest.raises(ContractError, match=r"HouseService\.Ask: needs an action name"):
            load(tmp_path, ACTION % "")

    @pytest.mark.parametrize("name", ["word count!", "house_ask", "HOUSE_ASK@v0", "H" * 49])
    def test_an_action_whose_name_breaks_the_rule(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(ContractError, match=rf"HouseService\.Ask: needs an action name, .*; '{name}' is not one"):
            load(tmp_path, ACTION % name)

    def test_a_name_that_exists(self, tmp_path: Path) -> None:
        with pytest.raises(ContractError, match=r"HouseService\.Ask: the action PDF_TEXT exists already"):
            load(tmp_path, ACTION % "PDF_TEXT")

    def test_a_name_that_another_in_house_service_has(self, tmp_path: Path) -> None:
        service = (
            "// HouseService is in-house.\nservice HouseService {\n// Ask asks.\nrpc Ask(AskRequest) returns"
            " (AskResponse) {" + ACTION % "HOUSE_TWICE" + "}}"
        )
        two = [compile_proto(MESSAGES + service, tmp_path).descriptors for _ in range(2)]
        with pytest.raises(ContractError, match="the action HOUSE_TWICE exists already"):
            actions.load(*two)

    def test_a_cache_on_a_method_with_side_effects(self, tmp_path: Path) -> None:
        cached = ACTION.replace("rate", "cache_ttl: {seconds: 60} rate") % "HOUSE_UNSAFE"
        with pytest.raises(ContractError, match=r"HouseService\.Ask: has a cache_ttl, so it needs idempotency_level"):
            load(tmp_path, cached)

    @pytest.mark.parametrize(
        "last", ["", "// Json is no text.\nbytes json = 2;", "// Json is many.\nrepeated string json = 2;"]
    )
    def test_a_response_that_does_not_end_in_json(self, tmp_path: Path, last: str) -> None:
        messages = MESSAGES.replace("// Json is this result as JSON text.\n  string json = 2;", last)
        with pytest.raises(ContractError, match="the last field of its response must be `string json`"):
            load(tmp_path, ACTION % "HOUSE_NO_JSON", messages=messages)

    def test_a_method_without_a_comment(self, tmp_path: Path) -> None:
        with pytest.raises(ContractError, match=r"HouseService\.Ask: needs a comment"):
            load(tmp_path, ACTION % "HOUSE_SILENT", comment="")

    @pytest.mark.parametrize("comment", ["// Question to answer.", "// Answer to it."])
    def test_a_field_without_a_comment(self, tmp_path: Path, comment: str) -> None:
        with pytest.raises(ContractError, match=r"Ask(Request\.question|Response\.answer): needs a comment"):
            load(tmp_path, ACTION % "HOUSE_SILENT_FIELD", messages=MESSAGES.replace(comment, ""))

    def test_a_nested_field_without_a_comment(self, tmp_path: Path) -> None:
        messages = MESSAGES.replace(
            "string question = 1;",
            "Detail detail = 1;\n// Detail is one.\nmessage Detail {\n string silent = 1;\n}",
        )
        with pytest.raises(ContractError, match=r"AskRequest\.Detail\.silent: needs a comment"):
            load(tmp_path, ACTION % "HOUSE_SILENT_NESTED", messages=messages)

    def test_an_action_that_streams(self, tmp_path: Path) -> None:
        body = MESSAGES + (
            "// HouseService is in-house.\nservice HouseService {\n// Ask asks.\nrpc Ask(stream AskRequest) returns"
            " (AskResponse) {" + ACTION % "HOUSE_STREAM" + "}}"
        )
        with pytest.raises(ContractError, match=r"HouseService\.Ask: streams"):
            actions.load(compile_proto(body, tmp_path).descriptors)


def test_only_what_is_deployed_and_not_planned_is_listed() -> None:
    table: ActionTable = actions.load()
    assert list(table.listed(["papermesh.pdf.v1.PdfService"])) == [
        "PDF_CHUNK",
        "PDF_DIFF",
        "PDF_EMBED",
        "PDF_LAYOUT",
        "PDF_MARKDOWN",
        "PDF_METADATA",
        "PDF_OUTLINE",
        "PDF_PAGE_IMAGE",
        "PDF_SEARCH",
        "PDF_TABLES",
        "PDF_TEXT",
    ]
    assert not table.listed(["papermesh.gitlab.v1.GitlabService"])
    assert not table.listed([])
