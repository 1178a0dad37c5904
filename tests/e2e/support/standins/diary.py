"""What a replica was told and what it did, in files of its working folder: the process writes, tests read, and back."""

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import grpc

_DIARY = "events.jsonl"
_FAIL = "fail"
_DELAY = "delay"


@dataclass(frozen=True)
class Event:
    """One thing that happened to a call."""

    what: str
    """"started", and then one of "finished", "failed" and "cancelled"; between them "effect" where there is one."""

    method: str
    """Of the proto, "Slow"."""

    key: str
    """The call's key or note; "" where it has none."""

    timeout_s: float
    """The seconds that the servicer was told are left."""

    at: float
    """On the machine's monotonic clock, which all its processes share."""


@dataclass(frozen=True)
class Diary:
    """The working folder of one replica."""

    folder: Path

    def write(self, what: str, method: str, key: str, timeout_s: float) -> None:
        """Adds an event; lines of one process never mix."""
        event = Event(what, method, key, timeout_s, time.monotonic())
        with (self.folder / _DIARY).open("a", encoding="utf-8") as diary:
            diary.write(json.dumps(asdict(event)) + "\n")

    def events(self) -> list[Event]:
        """What has happened so far."""
        try:
            text = (self.folder / _DIARY).read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        return [Event(**json.loads(line)) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def tell(self, *, fail: grpc.StatusCode | None = None, delay_s: float = 0) -> None:
        """Says how the replica is to behave from its next call on; nothing heals it.

        Args:
            fail: What STANDIN_FAIL ends with.
            delay_s: How long every call takes before anything else.
        """
        self._put(_FAIL, fail.name if fail else "")
        self._put(_DELAY, str(delay_s))

    @property
    def code(self) -> grpc.StatusCode | None:
        """What STANDIN_FAIL is to end with."""
        name = self._get(_FAIL)
        return grpc.StatusCode[name] if name else None

    @property
    def delay_s(self) -> float:
        """How long every call is to take before anything else."""
        return float(self._get(_DELAY) or 0)

    def _put(self, name: str, text: str) -> None:
        """In one step: the process must not read half of it."""
        new = self.folder / f".{name}.{os.getpid()}"
        new.write_text(text, encoding="utf-8")
        new.replace(self.folder / name)

    def _get(self, name: str) -> str:
        try:
            return (self.folder / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""
