"""Logs as JSON lines, and the W3C trace context that ties the lines of one call together."""

import json
import logging
import re
import secrets
import sys
from contextvars import ContextVar
from datetime import UTC, datetime

__all__ = ["start_logging"]

TRACEPARENT = "traceparent"

trace_id: ContextVar[str] = ContextVar("trace_id", default="")
"""The trace id of the call that is being served, 32 hexadecimal digits; empty outside a call."""

_GRPC_LOGGER = "grpc._cython.cygrpc"
_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)


def start_logging(part: str, level: str) -> None:
    """Sends every log line of `level` or worse to standard error, as one JSON object that names the `part`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter(part))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger(_GRPC_LOGGER).addFilter(_is_no_hang_up)


def continue_trace(traceparent: str | None) -> str:
    """Takes up the caller's trace, or begins one; returns the traceparent to pass on, with a span id of our own."""
    match = _TRACEPARENT.fullmatch(traceparent or "")
    trace = match[1] if match else secrets.token_hex(16)
    trace_id.set(trace)
    return f"00-{trace}-{secrets.token_hex(8)}-01"


def _is_no_hang_up(record: logging.LogRecord) -> bool:
    """A caller that hangs up in the middle of a stream is no news, though grpc reports it as an error, with a trace."""
    return not record.getMessage().startswith("ExecuteBatchError")


class _JsonFormatter(logging.Formatter):
    """One line: time, level, part, logger, message, trace id, and the fields given as `extra={"fields": {...}}`."""

    def __init__(self, part: str) -> None:
        super().__init__()
        self._part = part

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "part": self._part,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if trace_id.get():
            line["trace_id"] = trace_id.get()
        line.update(getattr(record, "fields", {}))
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)
