"""What dispatch writes of its calls, and what it does when it cannot. The Redis and the files are real."""

import asyncio
import hmac
import json
import os
import random
import resource
import secrets
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.base.audit_chain import AuditKey, Head
from services.base.call import Call, Ended
from services.base.redis.link import RedisLink
from services.dispatch.audit import audit as audit_module
from services.dispatch.audit.audit import Audit, Heads, has_calls
from tests.support.audit_logs import faults, key_of, verdict, write_key
from tests.support.redis_server import RedisServer
from trust.audit_check import Report

ROOT = Path(__file__).resolve().parents[4]
INVOKE = "/papermesh.dispatch.v1.DispatchService/Invoke"
ADAPTER = "spiffe://papermesh/ns/default/sa/adapter"
XFCC = ("x-forwarded-client-cert", f"Hash={'a' * 64};URI={ADAPTER}")
TRACE = "ab" * 16
ADMITTED = {
    "client": "adapter",
    "actor": "kim@corp.example",
    "action": "PDF_TEXT",
    "args": b'{"pages":"1"}',
    "documents": ["d" * 64],
    "cache": "hit",
    "admitted": True,
}


def ended(code: str = "OK", *metadata: tuple[str, str], **notes: Any) -> Ended:
    call = Call(INVOKE, (XFCC, *metadata), "11-22", 10.0, f"00-{TRACE}-{'cd' * 8}-01", notes)
    return Ended(call, code, 0.0123456, 321)


async def until(condition: Callable[[], object], limit_s: float = 10) -> None:
    async with asyncio.timeout(limit_s):
        while not condition():  # noqa: ASYNC110 - what happens to a file or in Redis sets no event here
            await asyncio.sleep(0.01)


def heads_in(redis_server: RedisServer) -> dict[str, Head]:
    with redis_server.admin() as admin:
        return {
            name.decode().removeprefix("audit:"): Head.parse(admin.get(name).decode())
            for name in admin.scan_iter(match="audit:*")
        }


@dataclass
class Place:
    """Where audit logs are written, and how to look at them."""

    redis: RedisServer
    folder: Path
    key: AuditKey
    links: list[RedisLink] = field(default_factory=list)

    def new(self, replica: str = "dispatch", keep_days: int = 400) -> Audit:
        link = RedisLink(self.redis.url)
        self.links.append(link)
        return Audit(self.folder, replica, self.key, Heads(link, keep_days))

    def files(self) -> list[Path]:
        return sorted(self.folder.iterdir())

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for file in self.files() for line in file.read_text().splitlines()]

    def kinds(self) -> list[str]:
        return [line["kind"] for line in self.lines()]

    def check(self) -> list[Report]:
        return list(verdict(self.folder, self.key, heads_in(self.redis)))


@pytest.fixture
async def place(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[Place]:
    folder = tmp_path / "audit"
    folder.mkdir()
    place = Place(redis_server, folder, key_of(tmp_path))
    yield place
    for link in place.links:
        await link.close()


@asynccontextmanager
async def running(audit: Audit) -> AsyncIterator[Audit]:
    """An audit log that is tended."""
    await audit.start()
    tending = asyncio.create_task(audit.run())
    yield audit
    tending.cancel()
    with suppress(asyncio.CancelledError):
        await tending
    await audit.stop()


@contextmanager
def files_may_grow_to(size: int) -> Iterator[None]:
    """As on a full disk: what would make a file of this process larger is refused, or written in part."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_call_is_one_line(place: Place) -> None:
    async with running(place.new()) as audit:
        assert audit.healthy
        assert not has_calls(place.folder)
        audit.record(ended(**ADMITTED))
        assert has_calls(place.folder)

    start, line, end = place.lines()
    assert (start["kind"], start["key_id"], start["keep_days"], start["previous"]) == ("start", "k1", 400, "")
    assert (end["kind"], end["why"]) == ("end", "stopped")
    assert line.pop("time").endswith("Z")
    assert len(line.pop("mac")) == 64
    assert line == {
        "chain": place.files()[0].stem,
        "n": 2,
        "kind": "call",
        "request_id": "11-22",
        "trace_id": TRACE,
        "client": "adapter",
        "certificate": ADAPTER,
        "actor": "kim@corp.example",
        "method": "Invoke",
        "action": "PDF_TEXT",
        "args": hmac.digest(place.key.arguments, b'{"pages":"1"}', "sha256").hex(),
        "documents": ["d" * 64],
        "decision": "allow",
        "code": "OK",
        "cache": "hit",
        "latency_ms": 12.346,
        "bytes": 321,
    }


async def test_the_line_is_in_the_file_when_record_returns(place: Place) -> None:
    async with running(place.new()) as audit:
        audit.record(ended(**ADMITTED))
        assert place.kinds() == ["start", "call"]


async def test_a_call_that_was_not_admitted_is_denied_whatever_its_code(place: Place) -> None:
    async with running(place.new()) as audit:
        for code in ("UNAUTHENTICATED", "RATE_LIMIT", "BAD_ARG", "UNAVAILABLE", "CANCELLED"):
            audit.record(ended(code, client="adapter"))
        audit.record(ended("ENGINE_FAIL", **ADMITTED))
    decisions = [line["decision"] for line in place.lines() if line["kind"] == "call"]
    assert decisions == ["deny"] * 5 + ["allow"]


@pytest.mark.parametrize(
    ("said", "written"),
    [("reports", "reports"), ("Robert'); DROP", ""), ("x" * 65, ""), ("pm_SECRET", ""), ("", "")],
)
async def test_a_client_that_nobody_verified_is_only_claimed(place: Place, said: str, written: str) -> None:
    async with running(place.new()) as audit:
        audit.record(ended("UNAUTHENTICATED", ("x-client", said)))
    (line,) = (line for line in place.lines() if line["kind"] == "call")
    assert (line["client"], line["claimed"]) == ("", written)


async def test_what_a_caller_put_where_a_name_belongs_is_not_written(place: Place) -> None:
    text = "please keep 제12조 to yourself"
    call = Call(INVOKE, (("x-forwarded-client-cert", text),), text, 1.0, "", {"action": text, "client": "adapter"})
    async with running(place.new()) as audit:
        audit.record(Ended(call, "BAD_ARG", 0.001, 0))
    (line,) = (line for line in place.lines() if line["kind"] == "call")
    assert (line["action"], line["request_id"], line["certificate"]) == ("", "", "")
    assert b"please" not in place.files()[0].read_bytes()


async def test_a_versioned_action_is_named(place: Place) -> None:
    async with running(place.new()) as audit:
        audit.record(ended(**{**ADMITTED, "action": "PDF_METADATA@v2"}))
    assert place.lines()[1]["action"] == "PDF_METADATA@v2"


async def test_nobody_but_its_owner_can_read_a_log(place: Place) -> None:
    before = os.umask(0)
    try:
        async with running(place.new()):
            assert place.files()[0].stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)


async def test_redis_knows_a_log_before_the_first_call_and_its_last_line_after_the_last(place: Place) -> None:
    audit = place.new(keep_days=3)
    assert not audit.healthy
    async with running(audit):
        assert audit.healthy
        (head,) = heads_in(place.redis).values()
        assert head.n == 1
        audit.record(ended(**ADMITTED))
        await until(lambda: next(iter(heads_in(place.redis).values())).n == 2)
    chain = place.files()[0].stem
    assert heads_in(place.redis)[chain].n == 3
    with place.redis.admin() as admin:
        assert 2 * 86_400 < admin.ttl(f"audit:{chain}") <= 3 * 86_400


async def test_replicas_and_runs_have_chains_of_their_own(place: Place) -> None:
    async with running(place.new()) as one, running(place.new("dispatch-2")) as other:
        one.record(ended(**ADMITTED))
        other.record(ended(**ADMITTED))
    async with running(place.new()):
        pass
    assert len(place.files()) == 3
    assert faults(place.check()) == []


async def test_without_redis_there_is_no_healthy_log_and_with_it_there_is_one(place: Place) -> None:
    place.redis.stop()
    async with running(place.new()) as audit:
        assert not audit.healthy
        for _ in range(3):
            audit.record(ended("UNAVAILABLE"))
        place.redis.start()
        await until(lambda: audit.healthy, 20)
        audit.record(ended(**ADMITTED))
    assert place.kinds() == ["start", "gap", "call", "end"]
    (report,) = place.check()
    assert (report.faulty, report.missed) == (0, 3)


async def test_redis_learns_a_log_again_that_it_forgot(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_module, "_HEAD_AGAIN_EVERY_S", 0.2)
    async with running(place.new()):
        with place.redis.admin() as admin:
            admin.flushall()
        await until(lambda: heads_in(place.redis))


async def test_a_log_that_cannot_grow_is_unhealthy_and_heals_without_a_lost_line(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(place.new()) as audit:
        audit.record(ended(**ADMITTED))
        size = place.files()[0].stat().st_size
        with files_may_grow_to(size + 100):  # in the middle of the next line
            audit.record(ended(**ADMITTED))
            assert not audit.healthy
            audit.record(ended("UNAVAILABLE"))
            assert place.files()[0].stat().st_size == size + 100
            assert [report.faulty for report in place.check()] == [0]
        await until(lambda: audit.healthy)
        audit.record(ended(**ADMITTED))
    assert place.kinds() == ["start", "call", "call", "call", "call", "end"]
    assert faults(place.check()) == []
    assert "The audit log cannot be written: File too large" in caplog.text


@contextmanager
def a_disk_that_keeps_nothing(file: Path) -> Iterator[None]:
    """As with a disk that fails: what is written to a file of this process is taken, and fsync says that it is lost.

    A pipe is such a file.
    """
    (descriptor,) = (each for each in range(3, 1024) if _path(each) == str(file))
    reading, writing = os.pipe()
    before = os.dup(descriptor)
    os.dup2(writing, descriptor)
    try:
        yield
    finally:
        os.dup2(before, descriptor)
        for each in (before, reading, writing):
            os.close(each)


def _path(descriptor: int) -> str:
    with suppress(OSError):
        return str(Path(f"/proc/self/fd/{descriptor}").readlink())
    return ""


async def test_a_log_whose_disk_keeps_nothing_is_unhealthy_until_it_does(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(audit_module, "_SYNC_EVERY_S", 0)
    async with running(place.new()) as audit:
        with a_disk_that_keeps_nothing(place.files()[0]):
            audit.record(ended(**ADMITTED))
            await until(lambda: not audit.healthy)
            assert "The audit log cannot be written: Invalid argument; calls are refused" in caplog.text
        await until(lambda: audit.healthy)


async def test_a_log_whose_end_the_disk_does_not_keep_is_told(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(audit_module, "_SYNC_EVERY_S", 3600)
    audit = place.new()
    await audit.start()
    with a_disk_that_keeps_nothing(place.files()[0]):
        await audit.stop()
    assert "Could not close the audit log properly: [Errno 22] Invalid argument" in caplog.text


async def test_a_disk_that_refused_is_asked_again_from_time_to_time_and_not_by_each_call(place: Place) -> None:
    async with running(place.new()) as audit:
        with files_may_grow_to(place.files()[0].stat().st_size):
            audit.record(ended("UNAVAILABLE"))
        audit.record(ended("UNAVAILABLE"))
        assert place.kinds() == ["start"]
        assert not audit.healthy
        await until(lambda: audit.healthy)
    assert place.kinds() == ["start", "call", "call", "end"]


async def test_a_log_is_never_written_into_a_file_that_is_there(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "token_hex", lambda _: "0" * 8)
    now = datetime.now(UTC)
    for seconds in range(30):  # whichever of them it will be
        name = f"dispatch-{now + timedelta(seconds=seconds):%Y%m%dT%H%M%SZ}-00000000.jsonl"
        (place.folder / name).touch()
    async with running(place.new()) as audit:
        assert not audit.healthy
    assert not any(file.stat().st_size for file in place.files())


async def test_past_a_mebibyte_of_waiting_lines_refused_calls_are_counted(place: Place) -> None:
    async with running(place.new()) as audit:
        size = place.files()[0].stat().st_size
        with files_may_grow_to(size):
            for _ in range(5000):
                audit.record(ended("UNAVAILABLE"))
            audit.record(ended(**ADMITTED))  # it was under way when the disk was full, and has been done
        await until(lambda: audit.healthy)
    (report,) = place.check()
    assert report.faulty == 0
    assert report.missed + place.kinds().count("call") == 5001
    assert report.missed > 1000
    assert [line["decision"] for line in place.lines() if line["kind"] == "call"].count("allow") == 1


async def test_a_log_that_grew_large_is_ended_and_the_next_begun(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_module, "_ROLL_BYTES", 3000)
    async with running(place.new()) as audit:
        while place.kinds().count("end") < 3:
            audit.record(ended(**ADMITTED))
            await asyncio.sleep(0.01)
    lines = place.lines()
    starts = [line for line in lines if line["kind"] == "start"]
    assert len(starts) == len(place.files()) == 4
    assert [line["why"] for line in lines if line["kind"] == "end"].count("rolled") == len(starts) - 1
    assert {line["previous"] for line in starts} == {"", *(file.stem for file in place.files())} - {
        line["chain"] for line in lines if line.get("why") == "stopped"
    }
    reports = place.check()
    assert faults(reports) == []
    assert all(report.ended for report in reports)


async def test_a_log_whose_end_redis_was_not_told_of_passes(place: Place) -> None:
    async with running(place.new()) as audit:
        audit.record(ended(**ADMITTED))
        await until(lambda: next(iter(heads_in(place.redis).values())).n == 2)
        heads = heads_in(place.redis)
        place.redis.stop()
        for _ in range(5):
            audit.record(ended("UNAVAILABLE"))
    assert faults(verdict(place.folder, place.key, heads)) == []
    assert place.kinds().count("call") == 6


@pytest.mark.parametrize("seed", range(5))
async def test_a_process_that_is_killed_leaves_a_log_that_passes(place: Place, tmp_path: Path, seed: int) -> None:
    key_file = write_key(tmp_path / "audit.json")
    words = (sys.executable, "-m", "tests.support.audit_writer", str(place.folder), str(key_file), place.redis.url)
    process = await asyncio.create_subprocess_exec(*words, cwd=ROOT)
    try:
        goal = 20_000 + random.Random(seed).randrange(200_000)  # noqa: S311 - when to kill is no secret
        await until(lambda: sum(file.stat().st_size for file in place.files()) > goal, 30)
    finally:
        process.kill()
        await process.wait()
    (report,) = place.check()
    assert faults([report]) == []
    assert report.lines > 20
    assert not report.ended


async def test_recording_takes_microseconds(place: Place) -> None:
    async with running(place.new()) as audit:
        call, best = ended(**ADMITTED), 1.0
        for _ in range(20):
            began = time.thread_time()
            for _ in range(200):
                audit.record(call)
            best = min(best, (time.thread_time() - began) / 200)
    assert best < 100e-6, "about 25 µs where nothing else runs"
