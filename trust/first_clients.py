"""The clients that a deployment has from its first day: the adapter, and the operator who calls with grpcurl.

What their files say. Where those are kept, in a folder or in Secrets, is for whoever sets a deployment up to know.
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
        namespace: The deployment's namespace, which stands in their certificates.
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
    """What a client's key file has to say from now on; None when it may stay as it is.

    A file with one of the client's keys stays. Any other is worth nothing, since dispatch knows the listed ones alone.

    Args:
        listed: The list of clients.
        client: Its id. One that was taken off the list has no key, and that is its operator's decision.
        held: What its file says now; None when there is none.
    """
    keys = next((entry["keys"] for entry in listed if entry["id"] == client), None)
    if keys is None or (held is not None and _secret(held, client) in {_decoded(key["secret"]) for key in keys}):
        return None
    return clients_file.key_file(client, keys[-1])  # the newest: a rotation that is under way ends with that one


def _secret(content: bytes, client: str) -> bytes | None:
    """The secret in a client's key file; None where it is no such file."""
    try:
        said = json.loads(content)
        return _decoded(said["secret"]) if said["client"] == client else None
    except (ValueError, LookupError, TypeError):
        return None


def _decoded(secret: str) -> bytes:
    """A secret, however it is written: with or without its padding. What is none is taken as it is."""
    try:
        return decode_secret(secret)
    except ValueError:
        return secret.encode()
