import json
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from services.dispatch import clients
from services.dispatch.clients import Client
from services.dispatch.state import State
from tests.support.clients import ENTRIES
from tests.support.redis_server import RedisServer


@pytest.fixture(scope="session")
def shared_redis() -> Iterator[RedisServer]:
    with tempfile.TemporaryDirectory(prefix="pm") as folder:
        server = RedisServer(Path(folder))
        server.start()
        yield server
        server.stop()


@pytest.fixture
def redis_server(shared_redis: RedisServer) -> Iterator[RedisServer]:
    """A Redis that runs and is empty."""
    if shared_redis.process is None:
        shared_redis.start()
    with shared_redis.admin() as admin:
        admin.flushall()
        yield shared_redis


@pytest.fixture
async def state(redis_server: RedisServer) -> AsyncIterator[State]:
    state = State(redis_server.url, rate_scale=1)
    yield state
    await state.close()


@pytest.fixture
def write_clients(tmp_path: Path) -> Callable[..., Path]:
    """Writes a clients file with these entries."""

    def write(*entries: object) -> Path:
        path = tmp_path / "clients.json"
        path.write_text(json.dumps({"clients": entries}))
        path.chmod(0o600)
        return path

    return write


@pytest.fixture
def known_clients(write_clients: Callable[..., Path]) -> dict[str, Client]:
    """The adapter, which acts for people, and "reports", which has two keys and fewer rights."""
    return clients.load(write_clients(*ENTRIES))
