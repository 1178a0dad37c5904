"""Replaces a client's key without losing a call: for a while both the old and the new one are valid.

The order matters: dispatch knows the new key before the client signs with it, and the client signs with it before
dispatch forgets the old one. Both steps may be repeated after a crash at any point.
"""

import time
from pathlib import Path

from services.base.errors import OperatorError
from services.base.signature import read_key_file
from trust import clients_file
from trust.clients_file import Entry, ListingError

SETTLE_S = 5.0
"""Seconds from a file's change until every reader has seen it; each checks its file every second."""


class RotationError(OperatorError):
    """A step that cannot be taken now; the text says what to do first."""


def begin(listing: Path, client: str, key_file: Path, settle_s: float = SETTLE_S) -> str:
    """Gives a client a new key beside its old one, and then writes its key file anew.

    Args:
        listing: The clients file.
        client: Its id.
        key_file: What the client signs with. It may be missing if the client keeps it on another machine.
        settle_s: Seconds between the two, for every dispatch to read the clients file.

    Returns:
        The new key's id.

    Raises:
        RotationError: when an earlier rotation is not finished.
        ListingError, KeyFileError: when there is no such client, or a file cannot be read or written.
    """
    with clients_file.changing(listing) as entries:
        entry = clients_file.find(entries, client)
        keys = entry["keys"]
        used = _used(key_file, entry)
        if len(keys) == 1:
            keys.append(clients_file.new_key())
        elif used == keys[-1]["id"]:
            raise RotationError(f"{client} has two keys already. Finish that rotation first: --finish.")
    time.sleep(settle_s)
    clients_file.write_key_file(key_file, client, keys[-1])
    return str(keys[-1]["id"])


def finish(listing: Path, client: str, key_file: Path, settle_s: float = SETTLE_S) -> list[str]:
    """Removes a client's old keys. The client must already sign with the new one.

    Args:
        listing: The clients file.
        client: Its id.
        key_file: What the client signs with, or a copy of it.
        settle_s: How old the key file must be, in seconds, for the client to have read it; waits if it is younger.

    Returns:
        The ids of the keys that are no longer valid.

    Raises:
        RotationError: when the key file does not hold the new key.
        ListingError, KeyFileError: when there is no such client, or a file cannot be read or written.
    """
    if key_file.exists():
        age_s = time.time() - key_file.stat().st_mtime
        time.sleep(min(max(settle_s - age_s, 0), settle_s))
    with clients_file.changing(listing) as entries:
        entry = clients_file.find(entries, client)
        *old, new = entry["keys"]
        if _used(key_file, entry) != new["id"]:
            raise RotationError(f"{key_file} does not hold the newest key of {client}. Rotate first, and then finish.")
        entry["keys"] = [new]
        return [str(key["id"]) for key in old]


def _used(key_file: Path, entry: Entry) -> str | None:
    """The id of the key in a client's key file; None if there is none."""
    if not key_file.exists():
        return None
    key = read_key_file(key_file)
    if key.client != entry["id"]:
        raise ListingError(f"{key_file} is the key file of {key.client}, not of {entry['id']}.")
    return key.key_id
