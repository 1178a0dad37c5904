"""Two replicas' logs, their heads in a real Redis, and what somebody might do to them who lacks the key."""

import asyncio
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from services.base.audit_chain import AuditKey, Head
from services.base.call import Call, Ended
from services.base.redis.link import RedisLink
from services.dispatch.audit.audit import Audit, Heads
from tests.support.audit_logs import faults, key_of, verdict
from tests.support.redis_server import RedisServer
from tests.support.tamperer import DEEDS, Tamperer

REPLICAS = ("dispatch", "dispatch-2")
CALLS = 120


async def write_logs(folder: Path, key: AuditKey, redis: str) -> None:
    """Two replicas that serve calls at the same time, and end."""
    links = [RedisLink(redis) for _ in REPLICAS]
    audits = [Audit(folder, name, key, Heads(link, keep_days=400)) for name, link in zip(REPLICAS, links, strict=True)]
    for audit in audits:
        await audit.start()
    for number in range(CALLS):
        for audit in audits:
            notes = {"client": "adapter", "actor": f"actor-{number % 7}", "admitted": True, "documents": ["d" * 64]}
            call = Call("/papermesh.dispatch.v1.DispatchService/Invoke", (), f"r-{number}", 1.0, "", notes)
            audit.record(Ended(call, "OK", number / 1000, number))
    for audit, link in zip(audits, links, strict=True):
        await audit.stop()
        await link.close()


class Logs:
    """The untouched logs of two replicas, and a folder where they can be touched."""

    def __init__(self, folder: Path, redis_server: RedisServer) -> None:
        self.key = key_of(folder)
        self.guessed = key_of(folder, "B" * 43)
        self.untouched = folder / "untouched"
        self.touched = folder / "touched"
        self.untouched.mkdir()
        asyncio.run(write_logs(self.untouched, self.key, redis_server.url))
        with redis_server.admin() as admin:
            self.heads: Mapping[str, Head] = {
                name.decode().removeprefix("audit:"): Head.parse(admin.get(name).decode())
                for name in admin.scan_iter(match="audit:*")
            }

    def copy(self) -> Path:
        shutil.rmtree(self.touched, ignore_errors=True)
        shutil.copytree(self.untouched, self.touched)
        return self.touched

    def faults(self, folder: Path) -> list[str]:
        return faults(verdict(folder, self.key, self.heads))


@pytest.fixture(scope="session")
def logs(shared_redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Logs:
    if shared_redis.process is None:
        shared_redis.start()
    with shared_redis.admin() as admin:
        admin.flushall()
    return Logs(tmp_path_factory.mktemp("audit"), shared_redis)


def test_untouched_logs_pass(logs: Logs) -> None:
    reports = verdict(logs.untouched, logs.key, logs.heads)
    assert [report.lines for report in reports] == [CALLS + 2] * 2
    assert faults(reports) == []


@pytest.mark.parametrize("seed", range(200))
def test_whatever_is_done_to_them_is_found(logs: Logs, seed: int) -> None:
    folder = logs.copy()
    before = {file.name: file.read_bytes() for file in folder.iterdir()}

    done = Tamperer(folder, logs.guessed, seed).touch()

    assert {file.name: file.read_bytes() for file in folder.iterdir()} != before, f"{done} did nothing"
    assert logs.faults(folder), f"{done} was not found (seed {seed})"


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.__name__)
def test_each_kind_of_tampering_is_found_ten_times(logs: Logs, deed: Callable[[Tamperer], None]) -> None:
    for seed in range(10):
        folder = logs.copy()
        deed(Tamperer(folder, logs.guessed, seed))
        assert logs.faults(folder), f"seed {seed}"
