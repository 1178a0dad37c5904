"""The clients that a deployment starts with: the adapter, and the operator who calls with grpcurl.

This is the content of their files. Whoever sets up a deployment decides where to keep them: in a folder or in Secrets.
"""

import json
from collections.abc import Sequence

from services.base.identity import workload_id
from services.base.signature import decode_secret
from trust import clients_file
from trust.clients_file import Entry

CLIENTS = ("adapter", "operator")


def entries(namespace: str) -> list[Entry]:
    """Their entries in a list of clients, each with a new key.

    Args:
        namespace: The deployment's namespace, which is in their certificates.
    """
    return [
        {
            "id": name,
            "keys": [clients_file.new_key()],
            "certificate": workload_id(namespace, name),
            "actions": ["*"],
            "projects": ["*"],
            "acts_for": name == "adapter",  # its actors are people; the operator calls for itself
        }
        for name in CLIENTS
    ]


def new_key_file(listed: Sequence[Entry], client: str, held: bytes | None) -> bytes | None:
    """The new content of a client's key file; None if it may stay as it is.

    A file with one of the client's keys stays. Any other is worthless, because dispatch knows only the listed keys.

    Args:
        listed: The list of clients.
        client: Its id. A client that the operator took off the list has no key, and gets none.
        held: The file's current content; None if there is no file.
    """
    keys = next((entry["keys"] for entry in listed if entry["id"] == client), None)
    if keys is None or (held is not None and _secret(held, client) in {_decoded(key["secret"]) for key in keys}):
        return None
    return clients_file.key_file(client, keys[-1])  # the newest: a rotation that is under way ends with that one


def _secret(content: bytes, client: str) -> bytes | None:
    """The secret in a client's key file; None if it is not such a file."""
    try:
        said = json.loads(content)
        return _decoded(said["secret"]) if said["client"] == client else None
    except (ValueError, LookupError, TypeError):
        return None


def _decoded(secret: str) -> bytes:
    """A secret's bytes, written with or without padding. Anything else is returned as it is."""
    try:
        return decode_secret(secret)
    except ValueError:
        return secret.encode()
