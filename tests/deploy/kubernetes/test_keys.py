import base64
import itertools
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from deploy.kubernetes.api_server import ApiError, ApiServer, SecretError
from deploy.kubernetes.keys import KeyJob, KeySettings
from mcp_adapter.people import tickets
from mcp_adapter.people.api_keys import ApiKeys
from services.base import audit_chain
from services.base.settings import SettingsError
from services.base.signature import read_key_file
from services.dispatch.admission import clients
from trust import clients_file
from trust.clients_file import ListingError

Cluster = Any
ALL = ("clients", "audit", "tickets", "api-keys", "redis-state", "redis-cache")
MADE = [
    "pm-adapter-key",
    "pm-api-key",
    "pm-api-keys",
    "pm-audit-key",
    "pm-clients",
    "pm-operator-key",
    "pm-redis-cache",
    "pm-redis-state",
    "pm-ticket-key",
]


def run(api: ApiServer, *keys: str) -> None:
    KeyJob(api, KeySettings.read(namespace="office", release="pm", keys=keys or ALL)).run()


def mounted(cluster: Cluster, name: str, folder: Path) -> Path:
    """The Secret as a pod has it."""
    place = folder / name
    place.mkdir(exist_ok=True)
    for key, text in cluster.secrets[name]["data"].items():
        file = place / key
        file.touch(mode=0o440)
        file.unlink(missing_ok=True)  # the one before cannot be written to, as on a volume
        file.write_bytes(base64.b64decode(text))
        file.chmod(0o440)
    return place


def test_everything_wanted_is_made_once_and_kept(api: ApiServer, cluster: Cluster) -> None:
    run(api)
    assert sorted(cluster.secrets) == MADE
    before = len(cluster.writes)
    run(api)
    assert cluster.writes[before:] == []


def test_only_what_is_wanted_is_made(api: ApiServer, cluster: Cluster) -> None:
    run(api, "audit", "redis-cache")
    assert sorted(cluster.secrets) == ["pm-audit-key", "pm-redis-cache"]


def test_dispatch_and_the_clients_can_use_what_is_made(api: ApiServer, cluster: Cluster, tmp_path: Path) -> None:
    run(api)
    listed = clients.load(mounted(cluster, "pm-clients", tmp_path) / "clients.json")
    assert {name: (each.certificate, each.acts_for) for name, each in listed.items()} == {
        "adapter": ("spiffe://papermesh/ns/office/sa/adapter", True),
        "operator": ("spiffe://papermesh/ns/office/sa/operator", False),
    }
    for name in ("adapter", "operator"):
        key = read_key_file(mounted(cluster, f"pm-{name}-key", tmp_path) / f"{name}.json")
        assert (key.client, key.secret) == (name, next(iter(listed[name].secrets)))
    audit_chain.read_key(mounted(cluster, "pm-audit-key", tmp_path) / "audit.json")
    tickets.read_key_file(mounted(cluster, "pm-ticket-key", tmp_path) / "tickets.json")


async def test_the_api_key_that_is_read_is_the_one_that_the_adapter_knows(
    api: ApiServer, cluster: Cluster, tmp_path: Path
) -> None:
    run(api, "api-keys")
    key = (mounted(cluster, "pm-api-key", tmp_path) / "api-key").read_text(encoding="ascii")
    file = mounted(cluster, "pm-api-keys", tmp_path) / "api-keys.json"
    assert await ApiKeys(file).actor(key) == "admin"
    assert key not in file.read_text(encoding="utf-8")


def test_an_api_key_that_its_reader_removed_stays_removed(api: ApiServer, cluster: Cluster) -> None:
    run(api, "api-keys")
    del cluster.secrets["pm-api-key"]
    run(api, "api-keys")
    assert sorted(cluster.secrets) == ["pm-api-keys"]


@pytest.mark.parametrize("writes", range(10))
def test_what_was_interrupted_is_whole_after_another_run(
    api: ApiServer, cluster: Cluster, tmp_path: Path, writes: int
) -> None:
    cluster.writes_left = writes
    with pytest.raises(ApiError):
        run(api)
    cluster.writes_left = 100
    run(api)
    assert sorted(cluster.secrets) == MADE
    listed = clients.load(mounted(cluster, "pm-clients", tmp_path) / "clients.json")
    for name in ("adapter", "operator"):
        key = read_key_file(mounted(cluster, f"pm-{name}-key", tmp_path) / f"{name}.json")
        assert key.secret == next(iter(listed[name].secrets))


async def api_key_is_known(cluster: Cluster, folder: Path) -> bool:
    key = (mounted(cluster, "pm-api-key", folder) / "api-key").read_text(encoding="ascii")
    return await ApiKeys(mounted(cluster, "pm-api-keys", folder) / "api-keys.json").actor(key) == "admin"


@pytest.mark.parametrize("request_number", range(1, 6))
async def test_two_jobs_at_once_agree_on_the_first_api_key(
    api: ApiServer, cluster: Cluster, tmp_path: Path, request_number: int
) -> None:
    counted = itertools.count(1)

    def another() -> None:
        """A whole second Job, before one of this one's requests."""
        if next(counted) == request_number:
            cluster.before_request = lambda: None
            run(api, "api-keys")

    cluster.before_request = another
    with suppress(ApiError):
        run(api, "api-keys")
    assert next(counted) > request_number
    run(api, "api-keys")
    assert await api_key_is_known(cluster, tmp_path)


async def test_a_list_of_api_keys_that_was_removed_is_made_with_another_key(
    api: ApiServer, cluster: Cluster, tmp_path: Path
) -> None:
    run(api, "api-keys")
    leaked = cluster.secrets["pm-api-key"]["data"]
    del cluster.secrets["pm-api-keys"]
    run(api, "api-keys")
    assert cluster.secrets["pm-api-key"]["data"] != leaked
    assert await api_key_is_known(cluster, tmp_path)


def test_each_role_of_redis_has_a_password_of_its_own(api: ApiServer, cluster: Cluster, tmp_path: Path) -> None:
    run(api, "redis-state", "redis-cache")
    state, cache = (mounted(cluster, f"pm-redis-{role}", tmp_path) / "password" for role in ("state", "cache"))
    assert state.read_text(encoding="ascii") != cache.read_text(encoding="ascii")


def test_a_client_that_was_taken_off_the_list_gets_no_key(api: ApiServer, cluster: Cluster) -> None:
    run(api, "clients")
    listing = json.loads(base64.b64decode(cluster.secrets["pm-clients"]["data"]["clients.json"]))
    listing["clients"] = [entry for entry in listing["clients"] if entry["id"] == "adapter"]
    cluster.secrets["pm-clients"]["data"]["clients.json"] = base64.b64encode(json.dumps(listing).encode()).decode()
    del cluster.secrets["pm-operator-key"]
    run(api, "clients")
    assert sorted(cluster.secrets) == ["pm-adapter-key", "pm-clients"]


def test_a_list_of_clients_that_is_none_is_told_by_its_secret_and_not_replaced(
    api: ApiServer, cluster: Cluster
) -> None:
    api.put("pm-clients", {"clients.json": b'{"S3cret'})
    with pytest.raises(ListingError, match=r"clients.json in the Secret pm-clients is not a list .* Repair it") as told:
        run(api, "clients")
    assert "S3cret" not in str(told.value)
    assert list(cluster.secrets) == ["pm-clients"]


def test_new_lists_of_clients_come_with_keys_that_they_know(api: ApiServer, cluster: Cluster, tmp_path: Path) -> None:
    run(api, "clients")
    del cluster.secrets["pm-clients"]
    run(api, "clients")
    listed = clients.load(mounted(cluster, "pm-clients", tmp_path) / "clients.json")
    for name in ("adapter", "operator"):
        key = read_key_file(mounted(cluster, f"pm-{name}-key", tmp_path) / f"{name}.json")
        assert key.secret == next(iter(listed[name].secrets))


def test_a_key_that_is_being_rotated_stays_while_the_list_knows_it(api: ApiServer, cluster: Cluster) -> None:
    run(api, "clients")
    listing = clients_file.parse(base64.b64decode(cluster.secrets["pm-clients"]["data"]["clients.json"]), "it")
    listing[0]["keys"].append(clients_file.new_key())
    listed = base64.b64encode(clients_file.listing(listing)).decode()
    cluster.secrets["pm-clients"]["data"]["clients.json"] = listed
    before = len(cluster.writes)
    run(api, "clients")
    assert cluster.writes[before:] == []


@pytest.mark.parametrize(
    ("name", "lacking"),
    [
        ("clients", "clients.json"),
        ("adapter-key", "adapter.json"),
        ("audit-key", "audit.json"),
        ("ticket-key", "tickets.json"),
        ("api-keys", "api-keys.json"),
        ("api-key", "api-key"),
        ("redis-state", "password"),
    ],
)
def test_a_secret_with_something_else_in_it_is_told_and_stays_as_it_is(
    api: ApiServer, cluster: Cluster, name: str, lacking: str
) -> None:
    api.put(f"pm-{name}", {"theirs": b"S3cret"})
    with pytest.raises(SecretError, match=rf"The Secret pm-{name} has no {lacking}\. Add what is missing, or remove"):
        run(api)
    assert cluster.secrets[f"pm-{name}"]["data"] == {"theirs": base64.b64encode(b"S3cret").decode()}


def test_no_key_passes_through_a_file(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    run(api)


def test_what_nobody_knows_how_to_make_is_refused() -> None:
    with pytest.raises(SettingsError, match="PAPERMESH_KEYS is wrong: there is nothing called luck to make"):
        KeySettings.read(namespace="office", release="pm", keys=("audit", "luck"))
