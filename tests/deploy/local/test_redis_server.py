import sys
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
import redis

from deploy.local import readiness, redis_server
from deploy.local.part import Command, Part

Served = tuple[Part, Path]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    """A real Redis in a folder whose name needs quoting."""
    folder = tmp_path / 'a "quoted" folder'
    folder.mkdir()
    socket = tmp_path / "redis.sock"
    configuration = folder / "redis.conf"
    configuration.write_text(redis_server.configuration(socket, folder))
    command = Command(
        "redis-state", (str(redis_server.find()), str(configuration)), partial(readiness.redis_answers, socket)
    )
    part = Part(command, tmp_path, tmp_path)
    part.start()
    part.wait_until_ready()
    yield part, socket
    part.stop()


def test_redis_listens_on_a_socket_of_its_owner_and_on_no_port(server: Served) -> None:
    _, socket = server
    with closing(redis.Redis(unix_socket_path=str(socket))) as client:
        assert client.config_get("port") == {"port": "0"}
    assert socket.stat().st_mode & 0o777 == 0o600


def test_redis_evicts_nothing(server: Served) -> None:
    with closing(redis.Redis(unix_socket_path=str(server[1]))) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_what_redis_was_told_survives_a_crash(server: Served) -> None:
    part, socket = server
    with closing(redis.Redis(unix_socket_path=str(socket))) as client:
        client.config_set("appendfsync", "always")  # everysec would need a wait
        client.set("nonce", "seen")
    part.kill()
    part.start()
    part.wait_until_ready()

    with closing(redis.Redis(unix_socket_path=str(socket))) as client:
        assert client.get("nonce") == b"seen"


def test_the_machine_s_own_redis_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "redis-server"
    own.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert redis_server.find() == own


def test_without_one_on_the_path_the_environment_s_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "redis-server").touch()

    assert redis_server.find() == tmp_path / "bin" / "redis-server"


def test_without_any_the_error_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))

    with pytest.raises(redis_server.RedisMissingError, match="apt install redis-server"):
        redis_server.find()
