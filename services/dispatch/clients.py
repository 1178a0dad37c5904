"""The clients that may call, their keys and their rights, from one file (docs/clients.md)."""

import fnmatch
import functools
import re
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from services.base.private_file import read_private
from services.base.signature import decode_secret


class ClientsFileError(Exception):
    """A clients file that cannot be used; the text names the place and never shows a secret."""


class _Strict(BaseModel):
    # Errors must not repeat the input: it holds keys.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ClientKey(_Strict):
    """One active key."""

    id: str = Field(min_length=1, max_length=64)
    secret: bytes = Field(repr=False)

    @field_validator("secret", mode="before")
    @classmethod
    def _decode(cls, value: object) -> bytes:
        if not isinstance(value, str):
            raise ValueError("must be text, base64url of 32 bytes")  # noqa: TRY004 - pydantic reports ValueError
        return decode_secret(value)


class RateOverride(_Strict):
    """A rate of one client that differs from the action's own."""

    requests_per_minute: int = Field(ge=1, le=1_000_000)
    burst: int = Field(ge=1, le=1_000_000)


class Client(_Strict):
    """One entry of the file."""

    id: str = Field(pattern="^[a-z0-9][a-z0-9._-]{0,127}$")
    keys: tuple[ClientKey, ...] = Field(min_length=1, max_length=4)
    certificate: str = Field(pattern="^spiffe://papermesh/ns/[a-z0-9-]+/(sa|client)/[A-Za-z0-9._-]+$")
    actions: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    acts_for: bool = False
    rates: dict[str, RateOverride] = Field(default_factory=dict)

    @property
    def secrets(self) -> Iterable[bytes]:
        """The secrets of its active keys."""
        return (key.secret for key in self.keys)

    def may_invoke(self, action: str) -> bool:
        """Whether one of its globs names the action."""
        return bool(_globs(self.actions).fullmatch(action))

    def may_read_project(self, project_path: str) -> bool:
        """Whether one of its globs names the GitLab project; `*` also crosses groups."""
        return bool(_globs(self.projects).fullmatch(project_path))


class _File(_Strict):
    clients: tuple[Client, ...]


@functools.cache
def _globs(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(fnmatch.translate, patterns)) or "(?!)")


def load(path: Path) -> dict[str, Client]:
    """The clients of a file by id.

    Raises:
        ClientsFileError: when the file cannot be read, can be read by everybody, is malformed, or lists a client twice.
    """
    try:
        listed = _File.model_validate_json(read_private(path)).clients
    except OSError as error:
        raise ClientsFileError(f"{path}: {error.strerror}") from None
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise ClientsFileError(f"{path}: {faults}") from None
    clients = {client.id: client for client in listed}
    if len(clients) != len(listed):
        raise ClientsFileError(f"{path}: a client is listed twice")
    return clients
