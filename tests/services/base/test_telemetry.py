import contextvars
import io
import json
import logging
import re
import sys
from collections.abc import Callable
from typing import Any

import pytest

from services.base import telemetry

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"


def written(log: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The lines that `log` writes, in a context of its own."""
    stream, root = io.StringIO(), logging.getLogger()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        patch.setattr(root, "handlers", [])
        patch.setattr(root, "level", root.level)
        telemetry.start_logging("pdf", "INFO")
        contextvars.Context().run(log)
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def continue_trace(traceparent: str | None) -> tuple[str, str]:
    """What is passed on and the trace id, in a context of its own."""
    context = contextvars.Context()
    passed_on = context.run(telemetry.continue_trace, traceparent)
    return passed_on, context[telemetry.trace_id]


def test_a_callers_trace_is_continued_with_a_span_of_our_own() -> None:
    passed_on, trace = continue_trace(f"00-{TRACE}-{SPAN}-01")
    assert trace == TRACE
    assert re.fullmatch(f"00-{TRACE}-[0-9a-f]{{16}}-01", passed_on)
    assert SPAN not in passed_on


@pytest.mark.parametrize(
    "traceparent",
    [
        None,
        "",
        "x",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01\n",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
    ],
)
def test_a_new_trace_begins_without_a_usable_one(traceparent: str | None) -> None:
    (one, trace), (_, other_trace) = continue_trace(traceparent), continue_trace(traceparent)
    assert re.fullmatch(f"00-{trace}-[0-9a-f]{{16}}-01", one)
    assert re.fullmatch("[0-9a-f]{32}", trace)
    assert len({trace, other_trace, TRACE, "0" * 32}) == 4


def test_a_log_line_is_one_json_object(monkeypatch: pytest.MonkeyPatch) -> None:
    def log() -> None:
        logging.getLogger("a.b").info("제12조\n%s", "done", extra={"fields": {"port": 1}})

    [line] = written(log, monkeypatch)
    assert line.pop("time").endswith("+00:00")
    assert line == {"level": "INFO", "part": "pdf", "logger": "a.b", "message": "제12조\ndone", "port": 1}


def test_a_log_line_bears_the_trace_of_its_call(monkeypatch: pytest.MonkeyPatch) -> None:
    def log() -> None:
        telemetry.continue_trace(f"00-{TRACE}-{SPAN}-01")
        logging.getLogger("a").warning("in a call")

    assert [line["trace_id"] for line in written(log, monkeypatch)] == [TRACE]


def test_an_exception_is_part_of_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def log() -> None:
        logging.getLogger("a").error("failed", exc_info=KeyError("x"))

    [line] = written(log, monkeypatch)
    assert "KeyError: 'x'" in line["exception"]


def test_less_severe_lines_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert written(lambda: logging.getLogger("a").debug("x"), monkeypatch) == []


def test_a_caller_that_hangs_up_in_a_download_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    grpc_log = logging.getLogger("grpc._cython.cygrpc")

    def log() -> None:
        grpc_log.error("ExecuteBatchError raised in core by servicer method [%s]", "/a/B")
        grpc_log.error("Unexpected [ValueError] raised by servicer method [%s]", "/a/B")

    assert [line["message"] for line in written(log, monkeypatch)] == [
        "Unexpected [ValueError] raised by servicer method [/a/B]"
    ]
