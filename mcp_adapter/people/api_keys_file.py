"""The file of API keys: {"keys": [{"id", "actor", "sha256", "expires"}]}. It holds hashes, not keys."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from mcp_adapter.people.actors import is_actor
from services.base.names import MAX_ACTOR
from services.base.private_file import locked, read_private, replace_private
from services.base.signature import KeyFileError


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key's entry, without the key."""

    key_id: str
    """Its name in lists; "k-" and eight hexadecimal digits unless written by hand."""

    actor: str
    """The actor of its calls."""

    sha256: bytes
    """Its hash, 32 bytes."""

    expires: datetime | None
    """When it stops working; None for never."""


def _actor(text: str) -> str:
    if not is_actor(text):
        raise ValueError(f"must be 1 to {MAX_ACTOR} printable characters, without a space at either end")
    return text


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern="^[A-Za-z0-9._-]{1,64}$")]
    actor: Annotated[str, AfterValidator(_actor)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    expires: AwareDatetime | None = None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    keys: tuple[_Entry, ...]


def read_api_keys(path: Path) -> Mapping[bytes, ApiKey]:
    """The keys by their digests, in the file's order; an actor may have several.

    Raises:
        KeyFileError: when the file cannot be read, can be read by everybody, or is malformed.
    """
    try:
        entries = _File.model_validate_json(read_private(path)).keys
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}. `papermesh keys add` creates it.") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise KeyFileError(f"{path}: {where}: {first['msg'].removeprefix('Value error, ')} (docs/people.md).") from None
    keys = {
        bytes.fromhex(entry.sha256): ApiKey(entry.id, entry.actor, bytes.fromhex(entry.sha256), entry.expires)
        for entry in entries
    }
    if len(keys) < len(entries) or len({entry.id for entry in entries}) < len(entries):
        raise KeyFileError(f"{path}: no two keys may share an id or a sha256.")
    return keys


@contextmanager
def changing(path: Path) -> Iterator[list[ApiKey]]:
    """The file's keys, to change in place; they are written if the block ends without an error.

    Two programs that change it wait for each other, and a reader sees the old file or the new one.

    Raises:
        KeyFileError: when there is a file that cannot be used.
        OSError: when it cannot be written.
    """
    folder = path.resolve().parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with locked(folder):
        keys = list(read_api_keys(path).values()) if path.exists() else []
        yield keys
        replace_private(path, listing(keys))


def listing(keys: Iterable[ApiKey]) -> bytes:
    """The content of a file with these keys."""
    entries = [
        {"id": key.key_id, "actor": key.actor, "sha256": key.sha256.hex()}
        | ({} if key.expires is None else {"expires": f"{key.expires.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"})
        for key in keys
    ]
    return (json.dumps({"keys": entries}, indent=2, ensure_ascii=False) + "\n").encode()
