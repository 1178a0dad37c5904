import json
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from services.base.redis.link import RedisLink
from services.base.watched_file import WatchedFile
from services.dispatch.admission import clients, epoch
from services.dispatch.admission.clients import Client
from services.dispatch.admission.replay_log import ReplayLog
from services.dispatch.admission.state import State
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
    """A Redis that runs and holds nothing, and that lost nothing as far as anybody who calls now could tell."""
    if shared_redis.process is None:
        shared_redis.start()
    with shared_redis.admin() as admin:
        admin.flushall()
        admin.set(epoch.KEY, 0)
        yield shared_redis


@pytest.fixture
async def link(redis_server: RedisServer) -> AsyncIterator[RedisLink]:
    link = RedisLink(redis_server.url)
    yield link
    await link.close()


@pytest.fixture
def state(link: RedisLink) -> State:
    return State(link, ReplayLog(), rate_scale=1)


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
def listing(write_clients: Callable[..., Path]) -> WatchedFile[dict[str, Client]]:
    """The file with the adapter, which acts for people, and "reports", which has two keys and fewer rights."""
    return WatchedFile(write_clients(*ENTRIES), clients.load, every_s=0.01)


@pytest.fixture
def known_clients(listing: WatchedFile[dict[str, Client]]) -> dict[str, Client]:
    """The clients in that file by id."""
    return listing.value
