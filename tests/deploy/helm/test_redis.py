"""The Redis of the chart asks for its password, and does not start without one: the command of its pod, run here."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import redis

from deploy.kubernetes.keys import new_password
from deploy.local import redis_server
from tests.deploy.helm.chart import Rendered, environment, render
from tests.e2e.support.waiting import eventually

PARTS = {"state": "StatefulSet", "cache": "Deployment"}
SERVERS = {"redis-server", "valkey-server"}
CONFIGURATION = "/etc/redis/configuration/redis.conf"
ALLOWED = "aZ0-._~!$&()*+,;=:"
LIMIT_S = 20


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short one: a socket's path has room for about a hundred letters."""
    with tempfile.TemporaryDirectory(prefix="pm-") as name:
        yield Path(name)


@contextmanager
def started(rendered: Rendered, role: str, folder: Path, password: str) -> Iterator["subprocess.Popen[str]"]:
    """Redis as its container starts it, but on a socket in a folder."""
    (container,) = rendered.pod(PARTS[role], f"redis-{role}")["containers"]
    assert environment(container)["REDISCLI_AUTH"]["secretKeyRef"]["key"] == "password"
    said = rendered.one("ConfigMap", f"redis-{role}")["data"]["redis.conf"]
    own = folder / "redis.conf"
    here = said.replace("port 6379", f"port 0\nunixsocket {folder}/r.sock").replace("dir /data", f"dir {folder}")
    own.write_text(here, encoding="utf-8")
    command = [part.replace(CONFIGURATION, str(own)) for part in container["command"]]
    (folder / "redis-server").symlink_to(redis_server.find())  # which may be Valkey's
    path = f"{folder}:{os.environ['PATH']}"
    with subprocess.Popen(
        command,
        env={"PATH": path, "REDISCLI_AUTH": password},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def ping(folder: Path, password: str | None = None) -> str:
    """What it answers."""
    with redis.Redis(unix_socket_path=f"{folder}/r.sock", password=password) as link:
        try:
            return str(link.ping())
        except redis.RedisError as error:
            return str(error)


@pytest.mark.parametrize("password", [new_password(), ALLOWED], ids=["of the setup Job", "of all that may be in one"])
@pytest.mark.parametrize("role", PARTS)
def test_it_asks_for_the_password_which_no_process_list_shows(role: str, password: str, folder: Path) -> None:
    with started(render(), role, folder, password) as process:
        eventually(lambda: ping(folder, password) == "True")
        assert "authenticat" in ping(folder)
        line = psutil.Process(process.pid).cmdline()
        assert Path(line[0].split()[0]).name in SERVERS, "it has the signals that its container gets"
        assert password not in " ".join(line)
        assert not psutil.Process(process.pid).children()
    files = [file.read_bytes() for file in folder.rglob("*") if file.is_file()]
    assert files
    assert not any(password.encode() in content for content in files)


@pytest.mark.parametrize(
    "password", ["", " ", "\n", "s3cret\n", "s3cret word", "s3cret'", 's3cret"', "s3cret#", "s3cr\u00e9t", "s3cret\\"]
)
@pytest.mark.parametrize("role", PARTS)
def test_without_a_usable_password_it_does_not_start_and_says_so(role: str, password: str, folder: Path) -> None:
    with started(render(), role, folder, password) as process:
        said, _ = process.communicate(timeout=LIMIT_S)
        assert process.returncode == 1
    assert said.startswith(f"The Secret pm-redis-{role} must have a password, of letters, digits and ")
    assert "s3cr" not in said


def test_the_sentence_names_the_secret_that_was_brought(folder: Path) -> None:
    with started(render(existingSecrets__redisState="corp-redis"), "state", folder, "") as process:
        said, _ = process.communicate(timeout=LIMIT_S)
    assert said.startswith("The Secret corp-redis must have a password")
