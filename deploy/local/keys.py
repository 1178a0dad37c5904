"""The keys of a deployment on one machine, made once and kept.

dispatch reads the list of clients, and each client reads a file with its own key. One more key seals the audit log:
without it nobody can verify what was written under it. Another seals the tickets of all adapters.
"""

from collections.abc import Callable
from pathlib import Path

from mcp_adapter.people import tickets
from services.base import audit_chain
from services.base.errors import OperatorError
from services.base.private_file import replace_private
from trust import clients_file, first_clients
from trust.clients_file import ListingError


class ClientKeysError(OperatorError):
    """The files hold something other than keys; the text is for the person who starts Papermesh."""


def ensure_clients(folder: Path, namespace: str) -> None:
    """Makes clients.json and a key file for each client in `folder`, where they are missing.

    Writes a key file again if the list does not know its key.

    Raises:
        ClientKeysError: when clients.json is not a list of clients, or a file cannot be written.
    """
    listing = folder / "clients.json"
    try:
        if not listing.exists():
            clients_file.write(listing, first_clients.entries(namespace))
        listed = clients_file.read(listing)
    except ListingError as error:
        raise ClientKeysError(f"{error} Repair it, or remove {listing} to get new keys.") from None
    for name in first_clients.CLIENTS:
        file = folder / f"{name}.json"
        try:
            new = first_clients.new_key_file(listed, name, file.read_bytes() if file.exists() else None)
            if new is not None:
                replace_private(file, new)
        except OSError as error:
            raise ClientKeysError(f"{file} cannot be read or written: {error.strerror}.") from None


def ensure_audit_key(folder: Path) -> Path:
    """Makes the audit log's key file in `folder`, unless it is there, and returns its path."""
    return _ensure(folder / "audit.json", audit_chain.new_key_file)


def ensure_ticket_key(folder: Path) -> Path:
    """Makes the key file of tickets in `folder`, unless it is there, and returns its path."""
    return _ensure(folder / "tickets.json", tickets.new_key_file)


def _ensure(file: Path, new: Callable[[], bytes]) -> Path:
    if not file.exists():
        replace_private(file, new())
    return file
