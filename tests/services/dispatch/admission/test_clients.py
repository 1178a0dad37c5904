import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from services.dispatch.admission import clients
from services.dispatch.admission.clients import Client, ClientsFileError
from tests.support.clients import ENTRIES, REPORTS_ID, REPORTS_KEY, REPORTS_NEW_KEY, encoded, entry

ROOT = Path(__file__).resolve().parents[4]
SECRET = encoded(REPORTS_KEY.secret)

Write = Callable[..., Path]


def test_a_file_lists_clients_by_id(known_clients: dict[str, Client]) -> None:
    assert set(known_clients) == {"adapter", "reports"}
    reports = known_clients["reports"]
    assert list(reports.secrets) == [REPORTS_KEY.secret, REPORTS_NEW_KEY.secret]
    assert (reports.certificate, reports.acts_for) == (REPORTS_ID, False)
    assert reports.rates["PDF_METADATA"].burst == 2


@pytest.mark.parametrize(
    ("globs", "action", "allowed"),
    [
        (["*"], "PDF_TEXT", True),
        (["PDF_*"], "PDF_TEXT", True),
        (["PDF_*"], "GITLAB_GUIDE", False),
        (["PDF_TEXT"], "PDF_TEXT", True),
        (["PDF_TEXT"], "PDF_TEXT@v2", False),
        (["PDF_TEXT"], "XPDF_TEXT", False),
        (["PDF_TEXT"], "pdf_text", False),
        (["PDF_TEXT", "PDF_DIFF"], "PDF_DIFF", True),
        (["PDF_?EXT"], "PDF_TEXT", True),
        (["PDF_TEXT"], "PDF_TEXT\n", False),
        ([""], "", True),
        ([], "PDF_TEXT", False),
        ([], "", False),
    ],
)
def test_an_action_is_allowed_by_a_glob(write_clients: Write, globs: list[str], action: str, *, allowed: bool) -> None:
    path = write_clients(entry(REPORTS_KEY, certificate=REPORTS_ID, actions=globs))
    assert clients.load(path)["reports"].rights("reports").may_invoke(action) == allowed


@pytest.mark.parametrize(
    ("globs", "project", "allowed"),
    [
        (["corp/*"], "corp/policies", True),
        (["corp/*"], "corp/hr/policies", True),
        (["corp/*"], "corporate/policies", False),
        (["corp/*"], "evil/corp/policies", False),
        (["corp/policies"], "corp/policies2", False),
        ([], "corp/policies", False),
    ],
)
def test_a_project_is_allowed_by_a_glob(write_clients: Write, globs: list[str], project: str, *, allowed: bool) -> None:
    path = write_clients(entry(REPORTS_KEY, certificate=REPORTS_ID, projects=globs))
    assert clients.load(path)["reports"].rights("reports").may_read_project(project) == allowed


def test_a_client_without_rights_has_none(write_clients: Write) -> None:
    client = clients.load(write_clients(entry(REPORTS_KEY, certificate=REPORTS_ID)))["reports"]
    assert not client.rights("reports").may_invoke("PDF_TEXT")
    assert not client.rights("reports").may_read_project("corp/policies")
    assert not client.acts_for


def test_a_client_has_the_deployment_s_limits_unless_it_has_its_own(write_clients: Write) -> None:
    listed = entry(REPORTS_KEY, certificate=REPORTS_ID)
    plain = clients.load(write_clients(listed))["reports"]
    assert (plain.rate, plain.rates, plain.quota_bytes, plain.quota_documents, plain.grants) == (
        None,
        {},
        None,
        None,
        None,
    )

    own = {"rate": {"requests_per_minute": 600, "burst": 60}, "quota_bytes": 5_000_000_000}
    client = clients.load(write_clients({**listed, **own}))["reports"]
    assert client.rate is not None
    assert (client.rate.requests_per_minute, client.rate.burst) == (600, 60)
    assert client.quota_bytes == 5_000_000_000


def test_the_example_in_the_docs_means_what_they_say(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
    example = page.partition("```json\n")[2].partition("```")[0]
    path = tmp_path / "clients.json"
    path.write_text(example.replace("<base64url of 32 random bytes>", SECRET))
    path.chmod(0o600)
    (client,) = clients.load(path).values()
    assert set(json.loads(example)["clients"][0]) == set(Client.model_fields), "it shows every field"
    things = ("PDF_TEXT", "GITLAB_GUIDE", "corp/policies", "corp/hr", "legal/2025")
    allowed = {
        actor: [each for each in things if (rights.may_invoke(each) or rights.may_read_project(each))]
        for actor in ("portal", "kim@corp.example", "lee@corp.example", "kim@elsewhere.example")
        if (rights := client.rights(actor))
    }
    assert allowed == {
        "portal": ["PDF_TEXT", "GITLAB_GUIDE", "corp/policies", "legal/2025"],
        "kim@corp.example": ["PDF_TEXT", "GITLAB_GUIDE", "corp/policies", "legal/2025"],
        "lee@corp.example": ["PDF_TEXT", "corp/policies"],
        "kim@elsewhere.example": [],
    }


def test_a_client_that_says_the_same_is_the_same(write_clients: Write) -> None:
    """So that a file that was touched and not changed is no news."""
    path = write_clients(*ENTRIES)
    first = clients.load(path)
    assert first["adapter"].rights("kim").may_invoke("PDF_TEXT")
    assert clients.load(path) == first
    assert clients.load(write_clients(*ENTRIES[1:])) != first


def test_a_client_that_is_listed_twice_is_refused(write_clients: Write) -> None:
    twice = entry(REPORTS_KEY, certificate=REPORTS_ID)
    with pytest.raises(ClientsFileError, match="listed twice"):
        clients.load(write_clients(twice, twice))


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"id": ""}, "clients.0.id"),
        ({"id": "a b"}, "clients.0.id"),
        ({"id": "a\x1fb"}, "clients.0.id"),
        ({"id": "a:b"}, "clients.0.id"),
        ({"id": "reports\n"}, "clients.0.id"),
        ({"certificate": "spiffe://elsewhere/ns/default/sa/adapter"}, "clients.0.certificate"),
        ({"certificate": "spiffe://papermesh/ns/default/sa/envoy/x"}, "clients.0.certificate"),
        ({"certificate": None}, "clients.0.certificate"),
        ({"keys": []}, "clients.0.keys"),
        ({"keys": [{"id": "k", "secret": SECRET}] * 5}, "clients.0.keys"),
        ({"keys": [{"id": "k"}]}, "clients.0.keys.0.secret"),
        ({"keys": [{"id": "", "secret": SECRET}]}, "clients.0.keys.0.id"),
        ({"keys": [{"id": "k", "secret": SECRET[:-2]}]}, "clients.0.keys.0.secret"),
        ({"keys": [{"id": "k", "secret": SECRET + SECRET}]}, "clients.0.keys.0.secret"),
        ({"keys": [{"id": "k", "secret": [SECRET]}]}, "clients.0.keys.0.secret"),
        ({"acts_for": "perhaps"}, "clients.0.acts_for"),
        ({"actions": "PDF_*"}, "clients.0.actions"),
        ({"rates": {"PDF_TEXT": {"requests_per_minute": 0, "burst": 1}}}, "clients.0.rates.PDF_TEXT"),
        ({"rates": {"PDF_TEXT": {"requests_per_minute": 1}}}, "clients.0.rates.PDF_TEXT.burst"),
        ({"rates": {"word count!": {"requests_per_minute": 1, "burst": 1}}}, "clients.0.rates.word count!"),
        ({"rates": {"putDocument": {"requests_per_minute": 1, "burst": 1}}}, "clients.0.rates.putDocument"),
        ({"rate": {"requests_per_minute": 1}}, "clients.0.rate.burst"),
        ({"rate": {"requests_per_minute": 1, "burst": 0}}, "clients.0.rate.burst"),
        ({"quota_bytes": -1}, "clients.0.quota_bytes"),
        ({"quota_bytes": "plenty"}, "clients.0.quota_bytes"),
        ({"keys": [{"id": "k", "secret": SECRET}] * 2}, "clients.0: Value error, two keys share an id"),
        ({"grants": []}, "clients.0: Value error, only a client with acts_for can have grants"),
        ({"acts_for": True, "grants": [{"actions": ["*"]}]}, "clients.0.grants.0.actors"),
        ({"acts_for": True, "grants": [{"actors": []}]}, "clients.0.grants.0.actors"),
        ({"acts_for": True, "grants": [{"actors": ["a"], "action": ["*"]}]}, "clients.0.grants.0.action"),
        ({"acts_for": True, "grants": [{"actors": ["*" * 257]}]}, "clients.0.grants.0.actors.0"),
        ({"acts_fro": True}, "clients.0.acts_fro"),
    ],
)
def test_a_malformed_client_is_named_and_its_secret_is_not(
    write_clients: Write, change: dict[str, object], place: str
) -> None:
    path = write_clients({**entry(REPORTS_KEY, certificate=REPORTS_ID), **change})
    with pytest.raises(ClientsFileError) as caught:
        clients.load(path)
    assert place in str(caught.value)
    assert SECRET[:20] not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_what_the_check_itself_says_shows_no_secret_to_a_log() -> None:
    with pytest.raises(ValidationError) as caught:
        Client.model_validate(entry(REPORTS_KEY, certificate=SECRET))
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"clients": 5}', f'{{"clients": [{{"secret": "{SECRET}"'])
def test_a_file_that_is_no_list_of_clients_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "clients.json"
    path.write_text(content)
    with pytest.raises(ClientsFileError, match=r"clients\.json") as caught:
        clients.load(path)
    assert SECRET not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClientsFileError, match="No such file"):
        clients.load(tmp_path / "clients.json")


def test_a_client_does_not_print_its_secrets(known_clients: dict[str, Client]) -> None:
    printed = repr(known_clients)
    assert SECRET not in printed
    assert repr(REPORTS_KEY.secret) not in printed
    assert json.dumps(printed)
