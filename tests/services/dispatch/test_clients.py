import json
from collections.abc import Callable
from pathlib import Path

import pytest

from services.dispatch import clients
from services.dispatch.clients import Client, ClientsFileError
from tests.support.clients import REPORTS_ID, REPORTS_KEY, REPORTS_NEW_KEY, encoded, entry

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
    assert clients.load(path)["reports"].may_invoke(action) == allowed


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
    assert clients.load(path)["reports"].may_read_project(project) == allowed


def test_a_client_without_rights_has_none(write_clients: Write) -> None:
    client = clients.load(write_clients(entry(REPORTS_KEY, certificate=REPORTS_ID)))["reports"]
    assert not client.may_invoke("PDF_TEXT")
    assert not client.may_read_project("corp/policies")
    assert not client.acts_for


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
