"""Requests one by one, for what is checked before and after the load."""

import json
import time
import urllib.error
import urllib.request
from typing import Any

_TIMEOUT_S = 15
_READY_WITHIN_S = 20
_POLL_S = 0.2

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Straight to loopback, whatever proxy the environment names."""


class AnswerError(Exception):
    """An answer is not what it must be."""


def post(url: str, body: bytes, content_type: str = "application/json") -> Any:
    """POSTs a body and returns the JSON of an answer that says `"ok": true`.

    Raises:
        AnswerError: for any other answer.
    """
    headers = {"Content-Type": content_type, "Cache-Control": "no-cache"}
    request = urllib.request.Request(url, body, headers)  # noqa: S310 - our own URLs
    try:
        with _direct.open(request, timeout=_TIMEOUT_S) as response:
            answer = json.load(response)
    except urllib.error.HTTPError as error:
        raise AnswerError(f"{url} answers {error.code}: {error.read(500).decode(errors='replace')}") from None
    except (OSError, ValueError) as error:
        raise AnswerError(f"{url}: {error}") from None
    if not isinstance(answer, dict) or answer.get("ok") is not True:
        raise AnswerError(f"{url} answers {str(answer)[:500]}")
    return answer


def wait_until_ok(url: str, body: bytes) -> None:
    """POSTs a body until the answer is good.

    Raises:
        AnswerError: the last one, when none was good in time.
    """
    deadline = time.monotonic() + _READY_WITHIN_S
    while True:
        try:
            post(url, body)
        except AnswerError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_POLL_S)
        else:
            return
