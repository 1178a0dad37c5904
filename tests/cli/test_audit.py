"""`papermesh audit verify`: what it prints, and the three ways in which it ends."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import Result

from services.base.audit_chain import Chain, Head
from tests.support.audit_logs import key_of, sealed, write_key
from tests.support.redis_server import RedisServer

NAMES = ("dispatch-20250823T120000Z-0123abcd", "dispatch-2-20250823T120000Z-4567cdef")

Run = Callable[..., Result]


@pytest.fixture(scope="session")
def shared_redis() -> Iterator[RedisServer]:
    with tempfile.TemporaryDirectory(prefix="pm") as folder:
        server = RedisServer(Path(folder))
        server.start()
        yield server
        server.stop()


@dataclass
class Machine:
    """A machine with the logs of two replicas, whose heads its Redis knows."""

    var: Path
    redis: RedisServer

    @property
    def logs(self) -> Path:
        return self.var / "audit"

    @property
    def log(self) -> Path:
        return self.logs / f"{NAMES[0]}.jsonl"

    def lines(self) -> list[bytes]:
        return self.log.read_bytes().splitlines(keepends=True)


@pytest.fixture
def machine(environment: dict[str, str | None], shared_redis: RedisServer, tmp_path: Path) -> Machine:
    var = Path(environment["PAPERMESH_VAR"] or "")
    for folder in ("audit", "secrets", "run"):
        (var / folder).mkdir(parents=True)
    write_key(var / "secrets" / "audit.json")
    with shared_redis.admin() as admin:
        admin.flushall()
        admin.set("nonce:adapter:x", "1")
        for name in NAMES:
            content, head = sealed(Chain(name, key_of(tmp_path)), 20)
            (var / "audit" / f"{name}.jsonl").write_bytes(content)
            admin.set(Head.key(name), str(head))
    # A link, since a socket's path has room for about a hundred letters.
    (var / "run" / "redis-state.sock").symlink_to(shared_redis.folder / "r.sock")
    unset = ("PAPERMESH_AUDIT_DIR", "PAPERMESH_AUDIT_KEY_FILE")
    environment.update(dict.fromkeys(unset), PAPERMESH_REDIS_STATE_URL=shared_redis.url, COLUMNS="200")
    return Machine(var, shared_redis)


@pytest.mark.usefixtures("machine")
def test_untouched_logs_are_listed_with_their_lines_and_times(papermesh: Run) -> None:
    result = papermesh("audit", "verify")
    assert result.exit_code == 0
    rows = result.stdout.splitlines()[2:]
    assert len(rows) == 2
    for row, name in zip(rows, sorted(NAMES), strict=True):
        assert row.split() == [name, "22", "2025-08-23T12:00:00Z", "2025-08-23T12:00:02Z", "yes", "ok"]
    assert "was altered" in result.stderr


def test_a_fault_is_a_sentence_with_file_and_line(machine: Machine, papermesh: Run) -> None:
    lines = machine.lines()
    lines[6] = lines[6].replace(b'"OK"', b'"KO"')
    machine.log.write_bytes(b"".join(lines))
    result = papermesh("audit", "verify", str(machine.logs))
    assert result.exit_code == 1
    assert f"{NAMES[0]}.jsonl, line 7, does not match its MAC: it was altered, or the one before it was." in (
        result.stdout.splitlines()
    )
    assert "1 fault in" in result.stderr
    assert result.stdout.count(" ok") == 1


def test_a_cut_off_end_and_a_removed_log_are_found(machine: Machine, papermesh: Run) -> None:
    machine.log.write_bytes(b"".join(machine.lines()[:5]))
    (machine.logs / f"{NAMES[1]}.jsonl").unlink()
    result = papermesh("audit", "verify")
    assert result.exit_code == 1
    assert "its end was cut off" in result.stdout
    assert "is missing: Redis knows 22 lines of it" in result.stdout


def test_without_heads_it_says_what_it_does_not_say(machine: Machine, papermesh: Run) -> None:
    machine.log.write_bytes(b"".join(machine.lines()[:5]))
    result = papermesh("audit", "verify", "--without-heads", PAPERMESH_REDIS_STATE_URL="unix:///nowhere/r.sock")
    assert result.exit_code == 0
    assert "removed logs and cut-off ends were not looked for" in result.stderr
    machine.log.write_bytes(b"".join(machine.lines()[1:]))
    assert papermesh("audit", "verify", "--without-heads").exit_code == 1


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("url", ["unix:///nowhere/r.sock", "redis://:hunter2@127.0.0.1:1/0", "nonsense"])
def test_without_a_redis_nothing_passes(papermesh: Run, url: str) -> None:
    result = papermesh("audit", "verify", "--redis", url)
    assert result.exit_code == 2
    assert "--without-heads" in result.stderr
    assert "ok" not in result.stdout
    assert "hunter2" not in result.output


def test_this_machine_s_redis_is_asked_unless_another_is_named(machine: Machine, papermesh: Run) -> None:
    assert papermesh("audit", "verify", PAPERMESH_REDIS_STATE_URL="").exit_code == 0
    (machine.var / "run" / "redis-state.sock").unlink()
    result = papermesh("audit", "verify", PAPERMESH_REDIS_STATE_URL="")
    assert result.exit_code == 2
    assert "There is no Redis at" in result.stderr


def test_this_machine_s_redis_is_found_through_a_path_too_long_for_a_socket(
    machine: Machine, papermesh: Run, tmp_path: Path
) -> None:
    var = machine.var.rename(tmp_path / ("deep" * 30))
    assert papermesh("audit", "verify", PAPERMESH_VAR=str(var), PAPERMESH_REDIS_STATE_URL="").exit_code == 0


def test_a_head_that_is_none_is_no_proof(machine: Machine, papermesh: Run) -> None:
    with machine.redis.admin() as admin:
        admin.set(Head.key(NAMES[0]), "many")
    assert papermesh("audit", "verify").exit_code == 2


def test_the_key_may_be_elsewhere_and_there_may_be_several(machine: Machine, papermesh: Run, tmp_path: Path) -> None:
    other = write_key(tmp_path / "old.json", "B" * 43, "k0")
    own = (machine.var / "secrets" / "audit.json").rename(tmp_path / "new.json")
    assert papermesh("audit", "verify").exit_code == 2
    assert papermesh("audit", "verify", "--key-file", str(other), "--key-file", str(own)).exit_code == 0
    result = papermesh("audit", "verify", "--key-file", str(other))
    assert result.exit_code == 1
    assert "names the key 'k1', which was not given" in result.stdout


@pytest.mark.usefixtures("machine")
def test_no_log_at_all_is_no_proof(papermesh: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert papermesh("audit", "verify", str(tmp_path / "empty"), "--without-heads").exit_code == 2
    assert papermesh("audit", "verify", str(tmp_path / "nowhere")).exit_code == 2
    assert papermesh("audit", "verify", str(tmp_path / "empty")).exit_code == 1, "Redis knows two"


def test_what_a_file_is_called_cannot_move_the_cursor(machine: Machine, papermesh: Run) -> None:
    (machine.logs / "\x1b[2Jx.jsonl").write_text("{}")
    result = papermesh("audit", "verify")
    assert result.exit_code == 1
    assert "\x1b" not in result.output


def test_a_torn_line_and_refused_calls_are_remarks(machine: Machine, papermesh: Run, tmp_path: Path) -> None:
    chain = Chain(NAMES[0], key_of(tmp_path))
    start = chain.seal({"time": "2025-08-23T12:00:00.000Z", "kind": "start", "key_id": "k1", "keep_days": 9})
    gap = chain.seal({"time": "2025-08-23T12:00:00.000Z", "kind": "gap", "missed": 5})
    with machine.redis.admin() as admin:
        admin.set(Head.key(NAMES[0]), str(Head(chain.n, chain.mac)))
    machine.log.write_bytes(start + gap + chain.seal({"kind": "call"})[:70])
    result = papermesh("audit", "verify")
    assert result.exit_code == 0
    assert "the last line is torn" in result.stderr
    assert "lacks 5 calls that were refused" in result.stderr
