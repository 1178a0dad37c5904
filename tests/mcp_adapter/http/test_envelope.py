"""What stands around every answer."""

import json
from typing import Any

import pytest

from mcp_adapter.http.envelope import Exchange, failure, success
from services.base.errors import Code, PapermeshError


def refused(**fields: Any) -> PapermeshError:
    return PapermeshError(Code.RATE_LIMIT, "Later.", **fields)


def test_nobody_is_no_person() -> None:
    with pytest.raises(LookupError, match="a call for nobody"):
        _ = Exchange.alone().person


@pytest.mark.parametrize(("wait_ms", "seconds"), [(1, "1"), (1000, "1"), (1001, "2"), (60_000, "60")])
def test_a_caller_who_waits_as_long_as_http_says_does_not_come_too_early(wait_ms: int, seconds: str) -> None:
    response = failure(Exchange.alone(), refused(retry_after_ms=wait_ms))
    assert response.headers["Retry-After"] == seconds
    assert json.loads(bytes(response.body))["error"]["retry_after_ms"] == wait_ms


def test_who_need_not_wait_is_not_told_to() -> None:
    assert "Retry-After" not in failure(Exchange.alone(), refused()).headers


def test_no_cache_on_the_way_keeps_what_ours_does_not() -> None:
    for response in (failure(Exchange.alone(), refused()), success(Exchange.alone(), {})):
        assert response.headers["Cache-Control"] == "no-store"


def test_an_error_bears_the_id_that_the_mesh_gave_it() -> None:
    body = json.loads(bytes(failure(Exchange.alone(), refused(request_id="11-22")).body))
    assert (body["ok"], body["meta"]["request_id"]) == (False, "11-22")
