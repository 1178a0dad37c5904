"""The clients that may call: listing them, adding one, changing a key."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from typer.testing import Result

from services.base.signature import read_key_file
from services.dispatch.admission import clients
from trust import clients_file

Run = Callable[..., Result]


@pytest.fixture
def environment(environment: dict[str, str | None]) -> dict[str, str | None]:
    return {**environment, "PAPERMESH_CLIENTS_FILE": None}


@pytest.fixture
def listing(environment: dict[str, str | None]) -> Path:
    """A clients file where `papermesh up` has it, with one client."""
    path = Path(environment["PAPERMESH_VAR"] or "", "secrets", "clients.json")
    path.parent.mkdir(parents=True)
    key = clients_file.new_key()
    certificate = "spiffe://papermesh/ns/default/sa/operator"
    clients_file.write(path, [{"id": "operator", "keys": [key], "certificate": certificate, "actions": ["*"]}])
    clients_file.write_key_file(path.with_name("operator.json"), "operator", key)
    return path


def entries(listing: Path) -> dict[str, Any]:
    return {entry["id"]: entry for entry in clients_file.read(listing)}


def test_a_client_that_was_added_has_all_that_dispatch_and_it_need(papermesh: Run, listing: Path) -> None:
    result = papermesh("clients", "add", "reports", "--action", "PDF_*", "--action", "GITLAB_*", "--project", "corp/*")
    assert result.exit_code == 0, result.stderr
    client = clients.load(listing)["reports"]
    assert (client.actions, client.projects, client.acts_for) == (("PDF_*", "GITLAB_*"), ("corp/*",), False)
    key = read_key_file(listing.with_name("reports.json"))
    assert (key.client, [key.secret]) == ("reports", list(client.secrets))
    certificate = x509.load_pem_x509_certificate(
        (listing.parents[1] / "certs" / "client" / "reports" / "tls.crt").read_bytes()
    )
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [client.certificate]


def test_a_client_that_is_added_with_nothing_else_may_do_nothing(papermesh: Run, listing: Path) -> None:
    assert papermesh("clients", "add", "idle").exit_code == 0
    rights = clients.load(listing)["idle"].rights("idle")
    assert not rights.may_invoke("PDF_TEXT")
    assert not rights.may_read_project("corp/policies")


def test_a_client_of_another_namespace_that_acts_for_others(papermesh: Run, listing: Path) -> None:
    assert papermesh("clients", "add", "portal", "--acts-for", "--namespace", "corp").exit_code == 0
    client = clients.load(listing)["portal"]
    assert (client.acts_for, client.certificate) == (True, "spiffe://papermesh/ns/corp/client/portal")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("operator", "operator.json is there already"),
        ("clients", "clients.json is there already"),
        ("../evil", "'../evil'"),
        ("Reports", "'Reports'"),
    ],
)
def test_a_name_that_no_new_client_can_have_changes_nothing(
    papermesh: Run, listing: Path, name: str, says: str
) -> None:
    before = listing.read_bytes()
    result = papermesh("clients", "add", name)
    assert result.exit_code == 2
    assert says.replace(" ", "") in "".join(result.stderr.split())  # it may have been folded anywhere
    assert listing.read_bytes() == before
    assert not list(listing.parents[2].rglob("evil*"))


def test_a_client_that_is_listed_is_not_added_though_its_key_file_is_elsewhere(papermesh: Run, listing: Path) -> None:
    listing.with_name("operator.json").unlink()
    result = papermesh("clients", "add", "operator")
    assert result.exit_code == 2
    assert "There is a client operator already" in result.stderr
    assert not listing.with_name("operator.json").exists()


def test_the_list_shows_rights_and_the_ids_of_keys_and_no_secret(papermesh: Run, listing: Path) -> None:
    papermesh("clients", "add", "portal", "--action", "PDF_*", "--acts-for")
    with clients_file.changing(listing) as found:
        found[1]["grants"] = [{"actors": ["*@corp.example"], "actions": ["*"]}]
    result = papermesh("clients", "list", COLUMNS="300")
    assert result.exit_code == 0
    for entry in entries(listing).values():
        (key,) = entry["keys"]
        (line,) = (line for line in result.stdout.splitlines() if line.startswith(entry["id"]))
        assert all(word in line for word in (key["id"], entry["certificate"], *entry["actions"]))
        assert key["secret"] not in result.output
    assert "1 grants" not in result.stdout
    assert "1 grant" in result.stdout


def test_the_list_shows_an_entry_that_makes_no_sense_as_it_is(papermesh: Run, listing: Path) -> None:
    with clients_file.changing(listing) as found:
        found[0] |= {
            "grants": 5,
            "actions": "x",
            "projects": [1, None, "\x1b[31m"],
            "certificate": None,
            "acts_for": True,
        }
    result = papermesh("clients", "list", COLUMNS="300")
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout


def test_a_key_is_changed_in_two_steps(papermesh: Run, listing: Path) -> None:
    (old,) = entries(listing)["operator"]["keys"]
    begun = papermesh("clients", "rotate-key", "operator", "--settle-s", "0")
    assert begun.exit_code == 0, begun.stderr
    new = read_key_file(listing.with_name("operator.json"))
    assert new.key_id in begun.stderr
    assert [key["id"] for key in entries(listing)["operator"]["keys"]] == [old["id"], new.key_id]

    finished = papermesh("clients", "rotate-key", "operator", "--finish", "--settle-s", "0")
    assert finished.exit_code == 0, finished.stderr
    assert old["id"] in finished.stderr
    assert list(clients.load(listing)["operator"].secrets) == [new.secret]
    for result in (begun, finished):
        assert json.loads(listing.with_name("operator.json").read_text())["secret"] not in result.output


def test_a_step_that_cannot_be_done_now_says_what_comes_first(papermesh: Run, listing: Path) -> None:
    papermesh("clients", "rotate-key", "operator", "--settle-s", "0")
    result = papermesh("clients", "rotate-key", "operator", "--settle-s", "0")
    assert result.exit_code == 2
    assert "--finish" in result.stderr
    assert len(entries(listing)["operator"]["keys"]) == 2


def test_other_files_can_be_named(papermesh: Run, tmp_path: Path, listing: Path) -> None:
    elsewhere = listing.rename(tmp_path / "list.json")
    words = ("clients", "rotate-key", "operator", "--settle-s", "0", "--key", str(tmp_path / "own.json"))
    assert papermesh(*words).exit_code == 2
    assert papermesh(*words, "--file", str(elsewhere)).exit_code == 0
    assert papermesh(*words, "--finish", PAPERMESH_CLIENTS_FILE=str(elsewhere)).exit_code == 0
    assert read_key_file(tmp_path / "own.json").key_id == entries(elsewhere)["operator"]["keys"][0]["id"]


@pytest.mark.parametrize("command", [("list",), ("add", "reports"), ("rotate-key", "operator")])
def test_a_missing_clients_file_is_named(papermesh: Run, command: tuple[str, ...]) -> None:
    result = papermesh("clients", *command)
    assert result.exit_code == 2
    assert "clients.jsoncannotberead:Nosuchfile" in "".join(result.stderr.split())
