"""Lines about what anybody can cause as often as they like."""

import logging

import pytest

from mcp_adapter.http.sparse_log import SparseLog


def test_the_line_after_a_minute_says_how_many_were_left_out(caplog: pytest.LogCaptureFixture) -> None:
    times = iter((0.0, 1.0, 59.0, 60.0, 61.0, 121.0))
    log = SparseLog(logging.getLogger("test"), clock=lambda: next(times))
    for _ in range(6):
        log.warning("bad")
    assert [vars(each)["fields"]["left_out"] for each in caplog.records] == [0, 2, 1]


def test_each_kind_is_counted_by_itself(caplog: pytest.LogCaptureFixture) -> None:
    log = SparseLog(logging.getLogger("test"), clock=lambda: 0.0)
    for kind in ("bad", "worse", "bad", "worse"):
        log.warning(kind)
    assert [each.getMessage() for each in caplog.records] == ["bad", "worse"]
