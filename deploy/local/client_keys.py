"""The clients of a deployment on one machine: the adapter, and the operator who calls with grpcurl.

Made once and kept: dispatch reads the list of clients, and each client reads a file with its own key.
"""

import json
import os
import secrets
from pathlib import Path
from typing import Any

from services.base.identity import workload_id

CLIENTS = ("adapter", "operator")
_SECRET_BYTES = 32
_OWNER_ONLY = 0o600


class ClientKeysError(Exception):
    """The files hold something else than keys; the text is for the person who starts Papermesh."""


def ensure(folder: Path, namespace: str) -> None:
    """Makes clients.json and a key file for each client in `folder`, where they are missing.

    Raises:
        ClientKeysError: when clients.json is there and is not a list of clients.
    """
    listing = folder / "clients.json"
    if not listing.exists():
        _write(listing, {"clients": [_client(name, namespace) for name in CLIENTS]})
    try:
        clients = json.loads(listing.read_text(encoding="utf-8"))["clients"]
        keys = {client["id"]: client["keys"][0] for client in clients}
        for name in CLIENTS:
            # A client that was taken off the list has no key; that is its operator's decision.
            if name in keys and not (folder / f"{name}.json").exists():
                key = {"client": name, "key_id": keys[name]["id"], "secret": keys[name]["secret"]}
                _write(folder / f"{name}.json", key)
    except (ValueError, LookupError, TypeError):
        raise ClientKeysError(f"{listing} is not a list of clients. Mend it, or remove it to have new keys.") from None


def _client(name: str, namespace: str) -> dict[str, Any]:
    return {
        "id": name,
        "keys": [{"id": "k1", "secret": secrets.token_urlsafe(_SECRET_BYTES)}],
        "certificate": workload_id(namespace, name),
        "actions": ["*"],
        "projects": ["*"],
        "acts_for": name == "adapter",  # its actors are people; the operator calls for itself
    }


def _write(file: Path, content: dict[str, Any]) -> None:
    """Writes beside the file and renames: with its mode from the start, and never half of it."""
    new = file.with_name(f".{file.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "w", encoding="utf-8") as opened:
        json.dump(content, opened, indent=2)
        opened.write("\n")
    new.replace(file)
