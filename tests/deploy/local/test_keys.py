import base64
import json
import os
from pathlib import Path

import pytest

from deploy.local import keys
from mcp_adapter.people import tickets
from services.base.audit_chain import read_key
from trust import clients_file


def test_every_client_is_listed_with_its_certificate_and_a_key_of_32_random_bytes(tmp_path: Path) -> None:
    keys.ensure_clients(tmp_path, "default")

    clients = json.loads((tmp_path / "clients.json").read_text())["clients"]
    assert [client["id"] for client in clients] == ["adapter", "operator"]
    for client in clients:
        assert client["certificate"] == f"spiffe://papermesh/ns/default/sa/{client['id']}"
        assert (client["actions"], client["projects"]) == (["*"], ["*"])
        assert client["acts_for"] == (client["id"] == "adapter"), "nobody but the adapter calls for people"
        (key,) = client["keys"]
        assert len(key["secret"]) == 43
        assert len(base64.urlsafe_b64decode(key["secret"] + "=")) == 32
    assert clients[0]["keys"] != clients[1]["keys"]


def test_each_client_s_file_holds_its_own_key(tmp_path: Path) -> None:
    keys.ensure_clients(tmp_path, "default")

    clients = json.loads((tmp_path / "clients.json").read_text())["clients"]
    for client in clients:
        own = json.loads((tmp_path / f"{client['id']}.json").read_text())
        (key,) = client["keys"]
        assert own == {"client": client["id"], "key_id": key["id"], "secret": key["secret"]}


def test_keys_are_kept(tmp_path: Path) -> None:
    keys.ensure_clients(tmp_path, "default")
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    keys.ensure_clients(tmp_path, "default")

    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_lost_key_file_is_written_again_from_the_list(tmp_path: Path) -> None:
    keys.ensure_clients(tmp_path, "default")
    before = (tmp_path / "operator.json").read_bytes()
    (tmp_path / "operator.json").unlink()

    keys.ensure_clients(tmp_path, "default")

    assert (tmp_path / "operator.json").read_bytes() == before


def test_a_new_list_comes_with_keys_that_it_knows(tmp_path: Path) -> None:
    keys.ensure_clients(tmp_path, "default")
    (tmp_path / "clients.json").unlink()

    keys.ensure_clients(tmp_path, "default")

    listed = {entry["id"]: entry["keys"][0]["secret"] for entry in clients_file.read(tmp_path / "clients.json")}
    for name, secret in listed.items():
        assert json.loads((tmp_path / f"{name}.json").read_text())["secret"] == secret


def test_a_key_file_that_is_lost_during_a_rotation_is_written_with_the_new_key(tmp_path: Path) -> None:
    keys.ensure_clients(tmp_path, "default")
    with clients_file.changing(tmp_path / "clients.json") as entries:
        entries[1]["keys"].append({"id": "new", "secret": "B" * 43})
    (tmp_path / "operator.json").unlink()

    keys.ensure_clients(tmp_path, "default")

    assert json.loads((tmp_path / "operator.json").read_text())["key_id"] == "new"


def test_a_client_that_was_taken_off_the_list_does_not_come_back(tmp_path: Path) -> None:
    keys.ensure_clients(tmp_path, "default")
    listing = json.loads((tmp_path / "clients.json").read_text())
    listing["clients"] = [client for client in listing["clients"] if client["id"] != "operator"]
    (tmp_path / "clients.json").write_text(json.dumps(listing))
    (tmp_path / "operator.json").unlink()

    keys.ensure_clients(tmp_path, "default")

    assert not (tmp_path / "operator.json").exists()


def test_nobody_else_can_read_a_key_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        keys.ensure_clients(tmp_path, "default")
    finally:
        os.umask(before)

    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"clients": [{"id": "adapter"}]}', '{"clients": 3}'])
def test_a_broken_list_is_named_and_left_as_it_is(tmp_path: Path, content: str) -> None:
    (tmp_path / "clients.json").write_text(content)
    (tmp_path / "clients.json").chmod(0o600)

    with pytest.raises(keys.ClientKeysError, match=r"clients\.json is not a list of clients"):
        keys.ensure_clients(tmp_path, "default")

    assert (tmp_path / "clients.json").read_text() == content


def test_the_audit_key_is_made_so_that_nobody_else_can_read_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        file = keys.ensure_audit_key(tmp_path)
    finally:
        os.umask(before)
    assert file == tmp_path / "audit.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert read_key(file).id == "k1"
    assert list(tmp_path.iterdir()) == [file]


def test_every_deployment_has_an_audit_key_of_its_own(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        folder.mkdir()
    assert len({read_key(keys.ensure_audit_key(folder)).chain for folder in folders}) == 2


def test_the_audit_key_is_kept(tmp_path: Path) -> None:
    before = keys.ensure_audit_key(tmp_path).read_bytes()
    assert keys.ensure_audit_key(tmp_path).read_bytes() == before


def test_the_key_of_tickets_is_made_once_and_is_nobody_elses(tmp_path: Path) -> None:
    file = keys.ensure_ticket_key(tmp_path)
    assert (file.name, file.stat().st_mode & 0o777) == ("tickets.json", 0o600)
    made = file.read_bytes()
    tickets.read_key_file(file)
    assert keys.ensure_ticket_key(tmp_path).read_bytes() == made


def test_an_audit_key_that_a_crash_left_half_written_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / ".audit.json.new").write_text("{")
    read_key(keys.ensure_audit_key(tmp_path))
