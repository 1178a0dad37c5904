"""Taking an Envoy out of service without losing a call: `python -m envoy drain`, before its process is ended.

What Envoy 1.40 does when asked, as the tests have seen it: `healthcheck/fail` makes `/ready` say DRAINING and nothing
else. A graceful drain tells every connection to go (HTTP/2's GOAWAY), busy ones with their next answer and idle ones in
the last third of DRAIN_TIME, and with `skip_exit` goes on accepting connections for ever. Without `graceful` it also
closes the listeners at once. Calls that run are left alone by all of them; SIGTERM would cut them off.
"""

import json
import time
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlencode

from envoy import admin
from envoy.limits import DRAIN_TIME

NOTICE_S = 3.0
"""Enough for what balances over several Envoys to see two failed health checks, one a second."""

TIMEOUT_S = 20.0

_POLL_S = 0.1
_OPEN_CONNECTIONS = r"^listener\.(edge|mesh)\.downstream_cx_active$"


class DrainError(Exception):
    """The drain did not come to its end; the text says why. Ending the process now may cut off calls."""


def run(admin_socket: Path, *, notice_s: float = NOTICE_S, timeout_s: float = TIMEOUT_S) -> None:
    """Drains the Envoy behind `admin_socket` and returns when it has no connection left. Its process goes on.

    Args:
        admin_socket: The topology's `admin_socket`.
        notice_s: Seconds from saying that it is not ready until connections are told to go. Time for others to notice;
            0 where nobody balances over several Envoys.
        timeout_s: Seconds from then on, until it is given up.

    Raises:
        DrainError: when Envoy does not answer or refuses, or connections are left at the end.
    """
    last = time.monotonic() + notice_s + timeout_s
    _post(admin_socket, "/healthcheck/fail", last)
    time.sleep(notice_s)
    _post(admin_socket, "/drain_listeners?graceful&skip_exit", last)
    began = time.monotonic()
    # Whoever did not notice in time may still come in, is answered, and is told to go.
    _wait_until_empty(admin_socket, began + min(DRAIN_TIME.total_seconds(), timeout_s), last)
    _post(admin_socket, "/drain_listeners", last)
    if left := _wait_until_empty(admin_socket, began + timeout_s, last):
        raise DrainError(f"Envoy had {left} connections left when the {timeout_s:g} s for its drain were over.")


def _wait_until_empty(admin_socket: Path, end: float, last: float) -> int:
    """Waits for the listeners' last connection to close, until `end` of the monotonic clock; how many are left."""
    while (left := _open_connections(admin_socket, last)) and time.monotonic() < end:
        time.sleep(_POLL_S)
    return left


def _open_connections(admin_socket: Path, last: float) -> int:
    path = "/stats?" + urlencode({"format": "json", "filter": _OPEN_CONNECTIONS})
    return sum(stat["value"] for stat in json.loads(_ask(admin_socket, path, "GET", last))["stats"] if "value" in stat)


def _post(admin_socket: Path, path: str, last: float) -> None:
    _ask(admin_socket, path, "POST", last)


def _ask(admin_socket: Path, path: str, method: str, last: float) -> str:
    """Asks again until `last` while Envoy does not find the time to answer: given up, the drain would end in a cut.

    Whatever is asked here may be asked twice.
    """
    try:
        status, text = admin.ask(admin_socket, path, method)
    except (OSError, HTTPException) as error:
        if isinstance(error, TimeoutError) and time.monotonic() < last:
            return _ask(admin_socket, path, method, last)
        raise DrainError(f"Envoy does not answer on its admin socket: {error}. Is it running?") from error
    if status != HTTPStatus.OK:
        raise DrainError(f"Envoy refuses {path}: {status} {text.strip()}.")
    return text
