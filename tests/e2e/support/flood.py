"""A client that sends as many calls as it is told to, whatever the answers: nothing in it waits for one."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2

from tests.e2e.support.caller import Channel, Metadata

_AT_ONCE = 90
"""Calls that a flood has under way; a connection carries 100."""


@dataclass(frozen=True)
class Sent:
    """One call of a flood."""

    path: str
    message: bytes
    metadata: Metadata


@dataclass
class Outcomes:
    """How the calls of a flood ended."""

    codes: Counter[str] = field(default_factory=Counter)
    """By the error's reason, "" for one that was served, "grpc <code>" for one without details."""

    hurried: int = 0
    """Refusals for a rate that do not say when to come back."""

    @property
    def calls(self) -> int:
        """How many there were."""
        return self.codes.total()

    def count(self, call: Any) -> None:
        """Takes in a call that has ended."""
        code, wait_ms = _ended(call)
        self.codes[code] += 1
        if code == "RATE_LIMIT" and (call.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED or wait_ms < 1):
            self.hurried += 1


def flood(channel: Channel, calls: Iterator[Sent], number: int, per_second: float) -> Outcomes:
    """Sends a number of calls at an even pace, as far as answers come fast enough to keep fewer than a hundred open.

    Args:
        channel: Over which; its own, since a connection carries 100 calls at once.
        calls: What to send; signed when it is taken, so that no signature grows old.
        number: How many to send.
        per_second: How many a second.
    """
    outcomes, room, pace = Outcomes(), threading.Semaphore(_AT_ONCE), threading.Event()
    counting = threading.Lock()

    def end(call: Any) -> None:
        with counting:
            outcomes.count(call)
        room.release()

    began = time.monotonic()
    for each in range(number):
        room.acquire()
        pace.wait(max(0.0, began + each / per_second - time.monotonic()))
        sent = next(calls)
        channel.start(sent.path, sent.message, sent.metadata).add_done_callback(end)
    for _ in range(_AT_ONCE):
        room.acquire()
    return outcomes


def _ended(call: Any) -> tuple[str, int]:
    """The reason that a call ended with, and the milliseconds that it is told to wait."""
    if call.code() is grpc.StatusCode.OK:
        return "", 0
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    for key, value in call.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                for kind in (info, retry):
                    detail.Unpack(kind)
    return info.reason or f"grpc {call.code().name}", retry.retry_delay.ToMilliseconds()
