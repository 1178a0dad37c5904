"""What the check finds in one log. Two replicas' logs, and hundreds of ways to touch them: tests/services/dispatch."""

import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.base.audit_chain import MAX_LINE_BYTES, AuditKey, Chain, Head
from tests.support.audit_logs import START, call, faults, key_of, sealed, verdict
from trust import audit_check
from trust.audit_check import MAX_FAULTS, Report

NAME = "dispatch-20250823T120000Z-0123abcd"
OTHER = "dispatch-2-20250823T120000Z-4567cdef"
CALLS = 8


class Log:
    """A log of ten lines, as its process left it."""

    def __init__(self, folder: Path, *, ended: bool = True) -> None:
        folder.mkdir(exist_ok=True)
        self.key = key_of(folder)
        self.logs = folder / "audit"
        self.logs.mkdir(exist_ok=True)
        self.file = self.logs / f"{NAME}.jsonl"
        self.content, self.head = sealed(Chain(NAME, self.key), CALLS, ended=ended)
        self.lines = self.content.splitlines(keepends=True)
        self.file.write_bytes(self.content)

    def check(self, content: bytes | list[bytes] | None = None, *, head: Head | int | None = 0) -> Report:
        """The report of this log, with other content."""
        if content is not None:
            self.file.write_bytes(content if isinstance(content, bytes) else b"".join(content))
        known = self.head if isinstance(head, int) else head
        (report,) = verdict(self.logs, self.key, {NAME: known} if known else {})
        return report


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


@pytest.fixture
def running(tmp_path: Path) -> Log:
    """A log that its process did not end."""
    return Log(tmp_path, ended=False)


@pytest.fixture(scope="session")
def shared_logs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Log, Log]:
    folder = tmp_path_factory.mktemp("logs")
    return Log(folder / "ended"), Log(folder / "running", ended=False)


def test_an_untouched_log_passes(log: Log) -> None:
    report = log.check()
    assert (report.lines, report.faulty, report.ended) == (CALLS + 2, 0, True)
    assert (report.first, report.last) == ("2025-08-23T12:00:00.000Z", "2025-08-23T12:00:02.000Z")
    assert report.notes == []


@given(st.data())
def test_any_edit_of_an_ended_log_is_found(shared_logs: tuple[Log, Log], data: st.DataObject) -> None:
    log, _ = shared_logs
    start = data.draw(st.integers(0, len(log.content)))
    end = data.draw(st.integers(start, min(len(log.content), start + data.draw(st.sampled_from([0, 1, 40, 10_000])))))
    inserted = data.draw(st.one_of(st.binary(max_size=8), st.sampled_from([b"\n", b"\r", b" ", *log.lines])))
    edited = log.content[:start] + inserted + log.content[end:]
    if edited != log.content:
        assert log.check(edited).faulty


@given(st.data())
def test_what_passes_of_a_running_log_is_its_beginning_at_least_up_to_its_head(
    shared_logs: tuple[Log, Log], data: st.DataObject
) -> None:
    _, log = shared_logs
    known = data.draw(st.integers(1, len(log.lines)))
    chain = Chain(NAME, log.key)
    for fields in [START, *map(call, range(known - 1))]:
        chain.seal(dict(fields))
    start = data.draw(st.integers(0, len(log.content)))
    inserted = data.draw(st.sampled_from([b"", b"x", b"\n", *log.lines]))
    edited = log.content[:start] + inserted + data.draw(st.sampled_from([b"", log.content[start + 1 :]]))

    report = log.check(edited, head=Head(known, chain.mac))

    whole = edited.splitlines(keepends=True)
    if not report.faulty:
        torn = [] if whole[-1].endswith(b"\n") else [whole.pop()]
        assert whole == log.lines[: len(whole)]
        assert len(whole) >= known
        assert bool(report.notes) == bool(torn)


def test_an_altered_line_is_named_and_no_other(log: Log) -> None:
    lines = list(log.lines)
    lines[4] = lines[4].replace(b'"OK"', b'"KO"')
    assert faults([log.check(lines)]) == [
        f"{NAME}.jsonl, line 5, does not match its MAC: it was altered, or the one before it was."
    ]


def test_an_altered_mac_is_named_and_no_other(log: Log) -> None:
    lines = list(log.lines)
    lines[4] = lines[4][:-4] + (b"1" if lines[4][-4:-3] == b"0" else b"0") + lines[4][-3:]
    report = log.check(lines)
    assert [fault.line for fault in report.faults] == [5]


def test_removed_lines_are_told_where_they_were(log: Log) -> None:
    assert faults([log.check(log.lines[:3] + log.lines[6:])]) == [
        f"{NAME}.jsonl, line 4, is number 7 where 4 belongs: lines were removed, or it was altered."
    ]


def test_a_line_that_stands_twice_is_named(log: Log) -> None:
    report = log.check([*log.lines[:5], log.lines[4], *log.lines[5:]])
    (fault,) = report.faults
    assert (fault.line, report.faulty) == (6, 1)
    assert "a duplicate" in fault.text


def test_lines_that_changed_places_are_found(log: Log) -> None:
    lines = list(log.lines)
    lines[3], lines[6] = lines[6], lines[3]
    assert log.check(lines).faulty


def test_a_line_of_another_log_is_named(log: Log) -> None:
    foreign = sealed(Chain(OTHER, log.key), CALLS)[0].splitlines(keepends=True)
    report = log.check([*log.lines[:4], foreign[4], *log.lines[5:]])
    assert report.faults[0].line == 5
    assert "belongs to another log" in report.faults[0].text


def test_a_first_line_that_was_removed_is_missed(log: Log) -> None:
    assert log.check(log.lines[1:]).faulty


def test_a_cut_off_end_is_found_by_the_head(log: Log) -> None:
    assert faults([log.check(log.lines[:6])]) == [
        f"{NAME}.jsonl ends at number 6, and Redis knows 10 lines: its end was cut off."
    ]


def test_an_emptied_log_is_found_by_its_head(log: Log) -> None:
    assert "its end was cut off" in faults([log.check(b"")])[0]


def test_lines_that_redis_was_not_told_of_yet_pass(running: Log) -> None:
    chain = Chain(NAME, running.key)
    for fields in (START, call(0), call(1)):
        chain.seal(dict(fields))
    assert running.check(head=Head(chain.n, chain.mac)).faulty == 0


def test_a_torn_last_line_that_redis_does_not_know_is_a_note(running: Log) -> None:
    chain = Chain(NAME, running.key)
    for fields in [START, *map(call, range(CALLS - 1))]:
        chain.seal(dict(fields))
    for cut in (1, 10, 60, len(running.lines[-1]) - 1):
        report = running.check([*running.lines[:-1], running.lines[-1][:cut]], head=Head(chain.n, chain.mac))
        assert (report.faulty, report.lines) == (0, CALLS)
        assert "torn" in report.notes[0]


def test_a_torn_last_line_that_redis_knows_is_a_fault(running: Log) -> None:
    report = running.check(running.content[:-1])
    assert "its end was cut off" in faults([report])[0]


def test_a_number_that_has_no_next_one_is_a_fault_like_any_other(running: Log) -> None:
    last = running.lines[-1].replace(f'"n":{len(running.lines)},'.encode(), f'"n":{2**64 - 1},'.encode())
    report = running.check([*running.lines[:-1], last, b'{"ch'])
    assert [fault.line for fault in report.faults] == [len(running.lines)]


def test_rubbish_at_the_end_is_no_torn_line(running: Log) -> None:
    for rubbish in (b" ", b"{}", running.lines[2][:-1], b"x" * 100):
        assert "nor the beginning of one" in faults([running.check(running.content + rubbish)])[0]


def test_a_log_that_was_written_anew_under_the_key_does_not_fit_its_head(log: Log) -> None:
    chain = Chain(NAME, log.key)
    anew = [chain.seal(dict(fields)) for fields in (START, *map(call, range(50, 70)))]
    assert "was rewritten" in faults([log.check(anew)])[0]


def test_a_log_written_under_a_guessed_key_is_found(log: Log, tmp_path: Path) -> None:
    content, _ = sealed(Chain(NAME, key_of(tmp_path, "B" * 43)), CALLS)
    report = log.check(content)
    assert report.faulty >= 1
    assert "was written under another key" in report.faults[0].text


def test_a_key_that_was_not_given_is_named_and_nothing_passes(log: Log, tmp_path: Path) -> None:
    other = key_of(tmp_path, "B" * 43, "k2")
    (report,) = verdict(log.logs, other, {NAME: log.head})
    assert "names the key 'k1', which was not given" in faults([report])[0]


def test_a_removed_log_is_found_by_its_head(log: Log) -> None:
    log.file.unlink()
    (report,) = verdict(log.logs, log.key, {NAME: log.head})
    assert faults([report]) == [f"{NAME}.jsonl is missing: Redis knows 10 lines of it."]


def test_a_renamed_log_is_found(log: Log) -> None:
    log.file.rename(log.logs / f"{OTHER}.jsonl")
    told = faults(verdict(log.logs, log.key, {NAME: log.head}))
    assert any("under another name" in fault for fault in told)
    assert any("is missing" in fault for fault in told)
    (log.logs / f"{OTHER}.jsonl").rename(log.logs / "copy.jsonl")
    assert any("does not have the name of a log" in fault for fault in faults(verdict(log.logs, log.key, {})))


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_only_a_regular_file_is_a_log(log: Log, kind: str) -> None:
    moved = log.file.rename(log.logs.parent / "elsewhere")
    if kind == "link":
        log.file.symlink_to(moved)
    elif kind == "pipe":
        os.mkfifo(log.file)
    else:
        log.file.mkdir()
    assert "is not a regular file" in faults([log.check()])[0]


def test_other_files_beside_the_logs_are_nobody_s_business(log: Log) -> None:
    (log.logs / "README.txt").write_text("not a log")
    assert log.check().faulty == 0


def test_a_log_without_a_head_does_not_pass(log: Log) -> None:
    assert "has no head in Redis" in faults([log.check(head=None)])[0]


def test_without_heads_only_the_end_is_taken_on_trust(log: Log) -> None:
    (report,) = verdict(log.logs, log.key, None)
    assert report.faulty == 0
    log.file.write_bytes(b"".join(log.lines[:5]))
    assert faults(verdict(log.logs, log.key, None)) == []
    log.file.write_bytes(b"".join(log.lines[1:]))
    assert faults(verdict(log.logs, log.key, None))


def test_a_log_whose_head_is_past_its_time_passes_with_a_note(log: Log) -> None:
    chain = Chain(NAME, log.key)
    old = [chain.seal(fields) for fields in ({**START, "keep_days": 1}, call(0), call(1))]
    report = log.check(old, head=None)
    assert report.faulty == 0
    assert "has expired" in report.notes[0]


def test_a_log_that_never_took_a_call_needs_no_head(log: Log) -> None:
    for content in (b"", log.lines[0][:20], log.lines[0]):
        assert log.check(content, head=None).faulty == 0
    assert log.check(log.lines[0].replace(b"start", b"begin"), head=None).faulty


def test_many_faults_are_counted_and_the_first_are_told(log: Log, tmp_path: Path) -> None:
    content, head = sealed(Chain(NAME, key_of(tmp_path, "B" * 43)), 100)
    log.file.write_bytes(content.replace(b'"OK"', b'"KO"'))
    (report,) = verdict(log.logs, log.key, {NAME: head})
    assert len(report.faults) == MAX_FAULTS
    assert report.faulty > 100


def test_a_line_without_end_is_read_in_pieces(log: Log) -> None:
    """What is hidden behind two megabytes of rubbish is part of the rubbish."""
    log.file.write_bytes(b"".join(log.lines[:3]) + b" " * (40 * MAX_LINE_BYTES) + b"".join(log.lines[3:]))
    tracemalloc.start()
    try:
        report = log.check()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert report.faults[0].line == 4
    assert report.lines == len(log.lines)
    assert peak < 5 * MAX_LINE_BYTES


def test_the_key_is_found_by_its_id_among_several(log: Log, tmp_path: Path) -> None:
    new = key_of(tmp_path, "B" * 43, "k2")
    chain = Chain(OTHER, new)
    content = b"".join(chain.seal(fields) for fields in ({**START, "key_id": "k2"}, call(0)))
    (log.logs / f"{OTHER}.jsonl").write_bytes(content)
    heads = {NAME: log.head, OTHER: Head(chain.n, chain.mac)}
    keys: dict[str, AuditKey] = {new.id: new, log.key.id: log.key}
    assert faults(list(audit_check.check(log.logs, keys, lambda: heads))) == []


def test_what_dispatch_could_not_record_is_counted(log: Log) -> None:
    chain = Chain(NAME, log.key)
    gap = {"time": START["time"], "kind": "gap", "missed": 4}
    lines = [chain.seal(dict(fields)) for fields in (START, gap, call(0), gap)]
    assert log.check(lines, head=Head(chain.n, chain.mac)).missed == 8
