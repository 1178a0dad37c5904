"""Why a worker died, logged once per document, however often it is asked about."""

import logging
import os
import re
import signal
from collections import OrderedDict
from typing import NamedTuple

_LOG = logging.getLogger(__name__)

_REMEMBERED = 256
"""How many crashes are remembered as logged; beyond that, the oldest is logged again."""

_ORIGIN = re.compile(r"[A-Za-z]{1,40} at [\w./+-]{1,200}:\d{1,7}", re.ASCII)
"""An error's kind and line, as a worker reports them: this keeps a document's words out of the log."""


class _Crash(NamedTuple):
    """What makes two crashes one."""

    sha256: str
    operation: str
    reason: str


class Crashes:
    """Logs each crash once, then only how often it was repeated."""

    def __init__(self) -> None:
        self._told: OrderedDict[_Crash, int] = OrderedDict()
        """Repetitions since it was last logged."""

    def tell(
        self,
        sha256: str,
        operation: str,
        reason: str,
        *,
        request_id: str = "",
        status: int | None = None,
        origin: str = "",
    ) -> None:
        """Logs an error, unless it was already logged for this document and operation.

        Args:
            sha256: Digest of the document.
            operation: The question; empty for a worker that died while idle.
            reason: "memory", "cpu" or "crash".
            request_id: The call that asked.
            status: How the process ended, as from waitpid; None if it did not, or that is unknown.
            origin: What the worker says about an unexpected error.
        """
        crash = _Crash(sha256, operation, reason)
        if crash in self._told:
            self._told[crash] += 1
            self._told.move_to_end(crash)
            return
        self._told[crash] = 0
        if len(self._told) > _REMEMBERED:
            self._forget()
        fields = {
            "operation": operation,
            "reason": reason,
            "signal": _signal_name(status),
            "digest": sha256[:8],
            "request_id": request_id,
        }
        known = origin if _ORIGIN.fullmatch(origin) else ""
        _LOG.error(
            "a worker failed on a document: operation %s, reason %s, signal %s, digest %s…, request %s%s",
            *(value or "none" for value in fields.values()),
            f", {known}" if known else "",
            extra={"fields": fields},
        )

    def close(self) -> None:
        """Logs what is still unlogged."""
        while self._told:
            self._forget()

    def _forget(self) -> None:
        crash, repeats = self._told.popitem(last=False)
        if not repeats:
            return
        fields = {
            "operation": crash.operation,
            "reason": crash.reason,
            "digest": crash.sha256[:8],
            "repeats": repeats,
        }
        _LOG.error(
            "the same failure again: operation %s, reason %s, digest %s…, %d times since it was last logged",
            *fields.values(),
            extra={"fields": fields},
        )


def _signal_name(status: int | None) -> str:
    if status is None or not os.WIFSIGNALED(status):
        return ""
    number = os.WTERMSIG(status)
    try:
        return signal.Signals(number).name
    except ValueError:  # of the real-time ones only two have a name
        return f"SIG{number}"
