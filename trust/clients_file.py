"""The clients file and the key files of clients, as tools change them (docs/clients.md).

An entry here is an id with keys and whatever else it says. `services.dispatch.admission.clients`, which reads the file,
knows what every field means and checks it.
"""

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.base.errors import OperatorError
from services.base.private_file import locked, read_private, replace_private
from services.base.signature import new_secret

Entry = dict[str, Any]


class ListingError(OperatorError):
    """A clients file that cannot be changed; the text says what to do and never shows a secret."""


def new_key() -> dict[str, str]:
    """A key as an entry lists it; its id is the day on which it was made and some letters, "2026-11-21-9f3c1a"."""
    return {
        "id": f"{datetime.now(UTC):%Y-%m-%d}-{secrets.token_hex(3)}",
        "secret": new_secret(),
    }


def read(path: Path) -> list[Entry]:
    """The entries of a clients file.

    Raises:
        ListingError: when it cannot be read, or is no list of clients with keys.
    """
    try:
        return parse(read_private(path), str(path))
    except OSError as error:
        raise ListingError(f"{path} cannot be read: {error.strerror}.") from None


def parse(content: bytes, where: str) -> list[Entry]:
    """The entries of what a clients file says.

    Args:
        content: What it says.
        where: What an error calls it.

    Raises:
        ListingError: when it is no list of clients with keys.
    """
    try:
        entries: list[Entry] = json.loads(content)["clients"]
        for entry in entries:
            _check(entry)
    except (ValueError, LookupError, TypeError):
        raise ListingError(f"{where} is not a list of clients with keys.") from None
    return entries


def listing(entries: Sequence[Entry]) -> bytes:
    """What a clients file with these entries says."""
    return _text({"clients": entries})


def key_file(client: str, key: Mapping[str, str]) -> bytes:
    """What the file says that a client signs with; see `write_key_file`."""
    return _text({"client": client, "key_id": key["id"], "secret": key["secret"]})


def write(path: Path, entries: Sequence[Entry]) -> None:
    """Writes a clients file, in one step.

    Raises:
        ListingError: when it cannot be written.
    """
    _replace(path, listing(entries))


@contextmanager
def changing(path: Path) -> Iterator[list[Entry]]:
    """The entries of a clients file, to be changed in place; written when the block ends without an error.

    One process at a time: another one that asks for the same file waits.

    Raises:
        ListingError: when it cannot be read or written.
    """
    with ExitStack() as held:
        try:
            held.enter_context(locked(path.resolve().parent))
        except OSError as error:
            raise ListingError(f"{path} cannot be read: {error.strerror}.") from None
        entries = read(path)
        yield entries
        write(path, entries)


def find(entries: Sequence[Entry], client: str) -> Entry:
    """The entry of a client.

    Raises:
        ListingError: when there is none.
    """
    for entry in entries:
        if entry["id"] == client:
            return entry
    raise ListingError(f"There is no client {client}. The clients are {', '.join(entry['id'] for entry in entries)}.")


def write_key_file(path: Path, client: str, key: Mapping[str, str]) -> None:
    """Writes the file that a client signs with, in one step.

    Args:
        path: Where.
        client: Its id.
        key: One of the keys that its entry lists.

    Raises:
        ListingError: when it cannot be written.
    """
    _replace(path, key_file(client, key))


def _check(entry: Entry) -> None:
    keys = [(key["id"], key["secret"]) for key in entry["keys"]]
    if not keys or not all(isinstance(text, str) for text in (entry["id"], *(word for key in keys for word in key))):
        raise ValueError


def _text(content: Mapping[str, Any]) -> bytes:
    return f"{json.dumps(content, indent=2, ensure_ascii=False)}\n".encode()


def _replace(path: Path, content: bytes) -> None:
    try:
        replace_private(path, content)
    except OSError as error:
        raise ListingError(f"{path} cannot be written: {error.strerror}.") from None
