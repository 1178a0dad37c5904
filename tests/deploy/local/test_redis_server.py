import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
import redis

from deploy.local import readiness, redis_server
from deploy.local.part import Command, Part

Served = tuple[Part, redis.Redis]


def run(role: str, folder: Path) -> Iterator[Served]:
    """A real Redis in a folder whose name needs quoting."""
    data = folder / 'a "quoted" folder'
    data.mkdir()
    socket, file = folder / "redis.sock", data / "redis.conf"
    file.write_text(redis_server.configuration(role, socket, data))
    command = Command(f"redis-{role}", (str(redis_server.find()), str(file)), partial(readiness.redis_answers, socket))
    part = Part(command, folder, folder)
    part.start()
    part.wait_until_ready()
    with closing(redis.Redis(unix_socket_path=str(socket))) as client:
        yield part, client
    part.stop()


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Served]:
    yield from run("state", tmp_path)


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Served]:
    yield from run("cache", tmp_path)


@pytest.mark.parametrize("role", ["state", "cache"])
def test_redis_listens_on_a_socket_of_its_owner_and_on_no_port(role: str, request: pytest.FixtureRequest) -> None:
    _, client = request.getfixturevalue(role)
    assert client.config_get("port") == {"port": "0"}
    assert Path(client.config_get("unixsocket")["unixsocket"]).stat().st_mode & 0o777 == 0o600


def test_the_state_role_evicts_nothing(state: Served) -> None:
    assert state[1].config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_the_cache_role_is_bounded_and_what_is_used_least_makes_room(cache: Served) -> None:
    _, client = cache
    assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "allkeys-lru"}
    assert client.config_get("maxmemory") == {"maxmemory": str(128 * 1024 * 1024)}
    client.config_set("maxmemory", 4_000_000)
    for number in range(100):
        client.set(f"result-{number}", bytes(100_000))
    assert client.get("result-99")
    assert client.dbsize() < 100


def test_the_cache_role_writes_nothing_to_disk(cache: Served, tmp_path: Path) -> None:
    part, client = cache
    client.set("result", "text of somebody's document")
    part.stop()
    assert [file.name for file in (tmp_path / 'a "quoted" folder').iterdir()] == ["redis.conf"]


def test_what_the_state_role_was_told_survives_a_crash(state: Served) -> None:
    part, client = state
    client.config_set("appendfsync", "always")  # everysec would need a wait
    client.set("nonce", "seen")
    part.kill()
    part.start()
    part.wait_until_ready()

    assert client.get("nonce") == b"seen"


def test_the_log_of_the_state_role_can_be_read_by_another_kind_of_server(state: Served, tmp_path: Path) -> None:
    _, client = state
    client.set("nonce", "seen")
    client.bgrewriteaof()
    while client.info("persistence")["aof_rewrite_in_progress"]:
        pass
    written = [file for file in (tmp_path / 'a "quoted" folder').rglob("*") if file.is_file()]
    assert not [file for file in written if file.read_bytes().startswith(b"REDIS") or file.suffix == ".rdb"]


@pytest.mark.parametrize("present", [("redis-server",), ("valkey-server",), ("valkey-server", "redis-server")])
def test_the_machine_s_own_server_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, present: tuple[str, ...]
) -> None:
    for name in present:
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert redis_server.find() == tmp_path / present[0]


def test_without_one_on_the_path_the_environment_s_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    said = subprocess.run([redis_server.find(), "--version"], capture_output=True, text=True, check=True).stdout
    assert said.startswith("Valkey server v=9.")


def test_without_any_the_error_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))

    with pytest.raises(redis_server.RedisMissingError, match="apt install redis-server"):
        redis_server.find()
