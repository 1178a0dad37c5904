"""The clients of a deployment on one machine: the adapter, and the operator who calls with grpcurl.

Made once and kept: dispatch reads the list of clients, and each client reads a file with its own key.
"""

from pathlib import Path

from services.base import clients_file
from services.base.clients_file import Entry, ListingError
from services.base.identity import workload_id

CLIENTS = ("adapter", "operator")


class ClientKeysError(Exception):
    """The files hold something else than keys; the text is for the person who starts Papermesh."""


def ensure(folder: Path, namespace: str) -> None:
    """Makes clients.json and a key file for each client in `folder`, where they are missing.

    Raises:
        ClientKeysError: when clients.json is there and is not a list of clients.
    """
    listing = folder / "clients.json"
    try:
        if not listing.exists():
            clients_file.write(listing, [_client(name, namespace) for name in CLIENTS])
        # The newest of its keys: a rotation that is under way ends with that one.
        keys = {entry["id"]: entry["keys"][-1] for entry in clients_file.read(listing)}
        for name in CLIENTS:
            # A client that was taken off the list has no key; that is its operator's decision.
            if name in keys and not (folder / f"{name}.json").exists():
                clients_file.write_key_file(folder / f"{name}.json", name, keys[name])
    except ListingError as error:
        raise ClientKeysError(f"{error} Mend it, or remove {listing} to have new keys.") from None


def _client(name: str, namespace: str) -> Entry:
    return {
        "id": name,
        "keys": [clients_file.new_key()],
        "certificate": workload_id(namespace, name),
        "actions": ["*"],
        "projects": ["*"],
        "acts_for": name == "adapter",  # its actors are people; the operator calls for itself
    }
