"""Where the command line finds things: the adapter, Envoy's edge, and the folder with this machine's state."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from cli.failures import UsageError

_CHECKOUT = Path(__file__).resolve().parents[1]


def state_folder() -> Path:
    """The folder where `papermesh up` keeps everything: the checkout's `var`, whatever the current folder."""
    if named := os.environ.get("PAPERMESH_VAR"):
        return Path(named)
    return _CHECKOUT / "var" if (_CHECKOUT / "pyproject.toml").is_file() else Path("var")


def adapter_url(given: str | None) -> str:
    """The adapter's base URL, without a slash at its end.

    Raises:
        UsageError: when something else was given.
    """
    url = given or f"http://127.0.0.1:{os.environ.get('PAPERMESH_HTTP_PORT') or '9000'}"
    try:
        parts = urlsplit(url)
        port_is_one = parts.port != 0
    except ValueError:
        port_is_one = False
    if not port_is_one or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError(f"{url} is not the URL of an adapter. Write it like http://127.0.0.1:9000.")
    return url.rstrip("/")


def edge_address(given: str | None) -> str:
    """Host and port of Envoy's edge listener."""
    return given or f"localhost:{os.environ.get('PAPERMESH_EDGE_PORT') or '8443'}"


def certificate_folder(client: str) -> Path:
    """The folder with a client's certificate: a workload's, or one of your own callers'."""
    certs = state_folder() / "certs"
    own = certs / client
    return own if own.is_dir() else next(filter(Path.is_dir, [certs / "client" / client]), own)


def key_file(client: str) -> Path:
    """The file with a client's signing key."""
    return state_folder() / "secrets" / f"{client}.json"
