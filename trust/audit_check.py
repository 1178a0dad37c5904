"""The check of a folder of audit logs: every line against the one before it, every log against its head in Redis.

Reads a log once from front to end, in memory that does not grow with it.
"""

import hmac
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from services.base.audit_chain import (
    BEFORE_THE_FIRST,
    MAX_LINE_BYTES,
    NAME,
    SUFFIX,
    AuditKey,
    Head,
    Line,
    line_mac,
    parse,
)

MAX_FAULTS = 20
"""Faults of one log that are reported one by one; the others are only counted."""

_MAX_ANCHORS = 4
_BUFFER_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a log, and where."""

    file: str
    line: int
    """The line in the file, from 1; 0 if the fault concerns the whole log."""

    text: str
    """Completes a sentence that begins with the place."""

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}," if self.line else self.file
        return f"{place} {self.text}."


@dataclass(slots=True)
class Report:
    """What the check of one log found."""

    chain: str
    lines: int = 0
    """Whole lines in the file, good or not."""

    first: str = ""
    """Time of the first good line, as written there."""

    last: str = ""
    ended: bool = False
    """Whether its process closed it. If not, the process is still running or was killed."""

    faults: list[Fault] = field(default_factory=list)
    """The first `MAX_FAULTS`."""

    faulty: int = 0
    """How many faults there are in all."""

    missed: int = 0
    """Calls that dispatch says it could not record, all of them refused."""

    notes: list[str] = field(default_factory=list)
    """Remarks: not faults, but worth knowing."""

    def blame(self, line: int, text: str) -> None:
        """Adds a fault."""
        self.faulty += 1
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(Fault(self.chain + SUFFIX, line, text))


def check(
    folder: Path, keys: Mapping[str, AuditKey], read_heads: Callable[[], Mapping[str, Head]] | None
) -> Iterator[Report]:
    """Checks all logs of a folder, even while they are being written.

    Args:
        folder: Where they are.
        keys: The keys that they may have been written under, by id.
        read_heads: Returns the heads by chain; None to do without, which misses removed logs and cut-off ends.

    Raises:
        OSError: when something cannot be read.
    """
    # In this order: a log is there before its head is, and a line before the head moves on to it.
    files = {path.name.removesuffix(SUFFIX) for path in folder.iterdir() if path.name.endswith(SUFFIX)}
    heads = read_heads() if read_heads else {}
    for chain in sorted(files | heads.keys()):
        report = Report(chain)
        path = folder / f"{chain}{SUFFIX}"
        try:
            regular = stat.S_ISREG(path.lstat().st_mode)
        except FileNotFoundError:
            report.blame(0, f"is missing: Redis knows {heads[chain].n} lines of it" if chain in heads else "has gone")
            yield report
            continue
        if not regular:
            report.blame(0, "is not a regular file, as every log is")
        elif not NAME.fullmatch(chain):
            report.blame(0, "does not have the name of a log; give a renamed log its own name back")
        else:
            with path.open("rb", buffering=_BUFFER_BYTES) as file:
                _Check(report, keys, heads.get(chain), with_heads=read_heads is not None).run(file)
        yield report


class _Check:
    """The check of one file."""

    def __init__(self, report: Report, keys: Mapping[str, AuditKey], head: Head | None, *, with_heads: bool) -> None:
        self._report = report
        self._keys = keys
        # The first line names its key. Should that line be missing, what follows is checked under any.
        self._key = next(iter(keys.values()))
        self._head = head
        self._with_heads = with_heads
        self._expected = 1
        # MACs that the next line may follow: one, until a fault leaves open which of them was the right one.
        self._anchors: tuple[bytes, ...] = (BEFORE_THE_FIRST,)
        self._reached = 0
        self._keep: timedelta | None = None

    def run(self, file: BinaryIO) -> None:
        for raw in _lines(file):
            if not raw.endswith(b"\n"):
                self._take_torn(raw)
                break
            self._report.lines += 1
            line = parse(raw[:-1])
            if self._report.lines == 1 and line and not self._has_key(line):
                return
            if line is None:
                self._report.blame(self._report.lines, "is not a line of an audit log")
                self._expected += 1
            else:
                self._take(line)
        if self._with_heads:
            self._check_end()

    def _has_key(self, first: Line) -> bool:
        key_id = first.fields.get("key_id")
        if not isinstance(key_id, str):
            return True
        if key_id not in self._keys:
            self._report.blame(1, f"names the key {key_id[:64]!r}, which was not given, so none of it can be checked")
            return False
        self._key = self._keys[key_id]
        return True

    def _take(self, line: Line) -> None:
        macs = [line_mac(self._key, anchor, line.body) for anchor in self._anchors]
        if any(hmac.compare_digest(mac, line.mac) for mac in macs):
            self._anchors, self._expected = (line.mac,), line.n + 1
            self._reached = line.n
            self._take_good(line)
            return
        self._report.blame(self._report.lines, self._suspicion(line))
        # What follows may fit this line as it stands, as it should be, or what was good before it.
        self._anchors = (line.mac, macs[0], *self._anchors)[:_MAX_ANCHORS]
        self._expected = max(self._expected, line.n) + 1
        if line.chain == self._report.chain:
            self._reached = max(self._reached, line.n)

    def _take_good(self, line: Line) -> None:
        """Nobody but dispatch can have written this line, so it has the fields that dispatch writes."""
        report = self._report
        if line.n == 1:
            self._keep = timedelta(days=line.fields["keep_days"])
        if report.lines == 1 and line.chain != report.chain:
            report.blame(1, f"shows that this is the log {line.chain}, under another name")
        if self._head and line.n == self._head.n and line.mac != self._head.mac:
            report.blame(report.lines, "is not the one that Redis knows by this number: the log was rewritten")
        report.first = report.first or line.fields["time"]
        report.last = line.fields["time"]
        report.ended = line.fields["kind"] == "end"
        report.missed += line.fields.get("missed", 0)

    def _take_torn(self, raw: bytes) -> None:
        """The last line, if torn: a killed process can leave the beginning of its next line."""
        report = self._report
        # Not by orjson: the number comes from the line before, and whoever altered that may have left it no room.
        beginning = b'{"chain":"%b","n":%d,' % (report.chain.encode(), self._expected)
        if report.ended or not (raw.startswith(beginning) or beginning.startswith(raw)):
            report.blame(report.lines + 1, "is neither a line of an audit log nor the beginning of one")
        else:
            report.notes.append("the last line is torn: its process was killed while writing it, or is writing it now")

    def _suspicion(self, line: Line) -> str:
        if line.chain != self._report.chain:
            return "belongs to another log, or was altered"
        if line.n > self._expected:
            return f"is number {line.n} where {self._expected} belongs: lines were removed, or it was altered"
        if line.n < self._expected:
            return f"is number {line.n} where {self._expected} belongs: it is out of order, a duplicate, or was altered"
        if self._report.lines == 1:
            return "does not match its MAC: it was altered, or was written under another key"
        return "does not match its MAC: it was altered, or the one before it was"

    def _check_end(self) -> None:
        report, head = self._report, self._head
        if head is not None:
            if self._reached < head.n:
                report.blame(0, f"ends at number {self._reached}, and Redis knows {head.n} lines: its end was cut off")
        elif report.lines <= 1:
            # A log takes calls only once its head stands: what has none, and no call in it, has lost none.
            report.notes.append("it never took a call: its process could not tell Redis of it")
        elif self._keep and datetime.fromisoformat(report.last) + self._keep < datetime.now(UTC):
            report.notes.append("its head has expired, so its end was not checked")
        else:
            report.blame(0, "has no head in Redis, so lines may be missing at its end")


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file with their line feeds, perhaps not the last; a line that is too long comes empty."""
    while raw := file.readline(MAX_LINE_BYTES):
        if len(raw) < MAX_LINE_BYTES or raw.endswith(b"\n"):
            yield raw
            continue
        while raw and not raw.endswith(b"\n"):
            raw = file.readline(MAX_LINE_BYTES)
        yield b"\n"
