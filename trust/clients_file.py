"""How tools change the clients file and clients' key files (docs/clients.md).

Here an entry is an id with keys, and other fields that are kept as they are. `services.dispatch.admission.clients`,
which reads the file, knows and checks what every field means.
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
    """A key as an entry lists it; its id is the day of its creation and some letters, "2026-11-21-9f3c1a"."""
    return {
        "id": f"{datetime.now(UTC):%Y-%m-%d}-{secrets.token_hex(3)}",
        "secret": new_secret(),
    }


def read(path: Path) -> list[Entry]:
    """The entries of a clients file.

    Raises:
        ListingError: when it cannot be read, or is not a list of clients with keys.
    """
    try:
        return parse(read_private(path), str(path))
    except OSError as error:
        raise ListingError(f"{path} cannot be read: {error.strerror}.") from None


def parse(content: bytes, where: str) -> list[Entry]:
    """The entries in a clients file's content.

    Args:
        content: The content.
        where: What an error calls the file.

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
    """The content of a clients file with these entries."""
    return _text({"clients": entries})


def key_file(client: str, key: Mapping[str, str]) -> bytes:
    """The content of the file that a client signs with; see `write_key_file`."""
    return _text({"client": client, "key_id": key["id"], "secret": key["secret"]})


def write(path: Path, entries: Sequence[Entry]) -> None:
    """Writes a clients file, in one step.

    Raises:
        ListingError: when it cannot be written.
    """
    _replace(path, listing(entries))


@contextmanager
def changing(path: Path) -> Iterator[list[Entry]]:
    """The entries of a clients file, to be changed in place and written if the block ends without an error.

    One process at a time: another that asks for the same file waits.

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
