"""Checks that a part answers, and whether it is busy: each asks one question, and answers at once."""

import json
import socket
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path

from envoy import admin

_TIMEOUT_S = 2.0


def port_listens(port: int) -> bool:
    """Whether the port on loopback accepts a connection."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_S):
            return True
    except OSError:
        return False


def redis_answers(path: Path) -> bool:
    """Whether Redis takes commands on its socket; while it loads its file it says LOADING."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_TIMEOUT_S)
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def envoy_healthy(admin_socket: Path) -> bool:
    """Whether Envoy serves, and its health checks have found every host behind it healthy."""
    if _get(admin_socket, "/ready") is None:
        return False
    # "pdf::127.0.0.1:9102::health_flags::healthy"; other words stand where a check has failed or has not been made.
    clusters = _get(admin_socket, "/clusters")
    flags = [line for line in (clusters or "").splitlines() if "::health_flags::" in line]
    return bool(flags) and all(line.endswith("::healthy") for line in flags)


def envoy_busy(admin_socket: Path) -> bool:
    """Whether calls run through Envoy; False if it does not answer."""
    answer = _get(admin_socket, "/stats?format=json&filter=^http%5C.(edge|mesh)%5C.downstream_rq_active$")
    stats = json.loads(answer)["stats"] if answer else []
    return any(stat.get("value", 0) for stat in stats)


def _get(admin_socket: Path, path: str) -> str | None:
    """The body of a 200; None for anything else."""
    try:
        status, body = admin.ask(admin_socket, path)
    except (OSError, HTTPException):
        return None
    return body if status == HTTPStatus.OK else None
