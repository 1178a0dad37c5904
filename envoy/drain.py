"""Takes an Envoy out of service without losing a call: run `python -m envoy drain` before you end its process.

This is what Envoy 1.40 does, as the tests show. `healthcheck/fail` makes `/ready` say DRAINING and nothing else. A
graceful drain sends GOAWAY to every connection: to busy ones with their next answer, to idle ones in the last third of
DRAIN_TIME. With `skip_exit` it goes on accepting connections for ever. Without `graceful` it also closes the listeners
at once. None of these touches running calls; SIGTERM would cut them off.
"""

import json
import time
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlencode

from envoy import admin
from envoy.limits import DRAIN_TIME
from services.base.errors import OperatorError

NOTICE_S = 3.0
"""Enough for a load balancer in front of several Envoys to see two failed health checks, one a second."""

TIMEOUT_S = 20.0

_POLL_S = 0.1
_OPEN_CONNECTIONS = r"^listener\.(edge|mesh)\.downstream_cx_active$"


class DrainError(OperatorError):
    """The drain did not finish; the text says why. Ending the process now may cut off calls."""


def run(admin_socket: Path, *, notice_s: float = NOTICE_S, timeout_s: float = TIMEOUT_S) -> None:
    """Drains the Envoy behind `admin_socket` and returns when it has no connection left. Its process keeps running.

    Args:
        admin_socket: The topology's `admin_socket`.
        notice_s: Seconds between reporting not ready and telling connections to go, for others to notice; 0 if nobody
            balances over several Envoys.
        timeout_s: Seconds after that until the drain gives up.

    Raises:
        DrainError: when Envoy does not answer or refuses, or connections are left at the end.
    """
    last = time.monotonic() + notice_s + timeout_s
    _ask(admin_socket, "/healthcheck/fail", last)
    time.sleep(notice_s)
    _ask(admin_socket, "/drain_listeners?graceful&skip_exit", last)
    began = time.monotonic()
    # Whoever did not notice in time may still come in, is answered, and is told to go.
    _wait_until_empty(admin_socket, began + min(DRAIN_TIME.total_seconds(), timeout_s), last)
    _ask(admin_socket, "/drain_listeners", last)
    if left := _wait_until_empty(admin_socket, began + timeout_s, last):
        raise DrainError(f"Envoy had {left} connections left at the end of the {timeout_s:g} s for its drain.")


def _wait_until_empty(admin_socket: Path, end: float, last: float) -> int:
    """Waits for the listeners' last connection to close, until `end` of the monotonic clock. Returns the rest."""
    while (left := _open_connections(admin_socket, last)) and time.monotonic() < end:
        time.sleep(_POLL_S)
    return left


def _open_connections(admin_socket: Path, last: float) -> int:
    path = "/stats?" + urlencode({"format": "json", "filter": _OPEN_CONNECTIONS})
    return sum(stat["value"] for stat in json.loads(_ask(admin_socket, path, last, "GET"))["stats"] if "value" in stat)


def _ask(admin_socket: Path, path: str, last: float, method: str = "POST") -> str:
    """Asks again until `last` while Envoy is too busy to answer: giving up would end the drain by cutting off calls.

    Every request made here may safely be repeated.
    """
    try:
        status, text = admin.ask(admin_socket, path, method)
    except (OSError, HTTPException) as error:
        if isinstance(error, TimeoutError) and time.monotonic() < last:
            return _ask(admin_socket, path, last, method)
        raise DrainError(f"Envoy does not answer on its admin socket: {error}. Is it running?") from error
    if status != HTTPStatus.OK:
        raise DrainError(f"Envoy refuses {path}: {status} {text.strip()}.")
    return text
