"""The clients that may call, with their keys, rights, rates and quotas, from one file (docs/clients.md)."""

import functools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from papermesh.dispatch.v1 import dispatch_service_pb2
from services.base.errors import OperatorError
from services.base.names import ACTION_RULE, is_action
from services.base.private_file import read_private
from services.base.signature import decode_secret
from services.dispatch.admission.rights import Allowance, Globs, Rights

_REMEMBERED_ACTORS = 4096
"""Per client: enough for a company's people at work, and a limit for whoever invents actors."""

_METHODS = frozenset(dispatch_service_pb2.DESCRIPTOR.services_by_name["DispatchService"].methods_by_name)

Glob = Annotated[str, Field(max_length=256)]


class ClientsFileError(OperatorError):
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


def _limited(name: str) -> str:
    if not is_action(name) and name not in _METHODS:
        raise ValueError(f"must be the name of an action, {ACTION_RULE}, or of a method of dispatch")
    return name


Limited = Annotated[str, AfterValidator(_limited)]
"""What has a rate of its own."""


class RateOverride(_Strict):
    """A client's own rate, instead of the usual one."""

    requests_per_minute: int = Field(ge=1, le=1_000_000)
    burst: int = Field(ge=1, le=1_000_000)


class Grant(_Strict):
    """What some of a client's actors may do."""

    actors: tuple[Glob, ...] = Field(min_length=1)
    actions: tuple[Glob, ...] = ()
    projects: tuple[Glob, ...] = ()


class Client(_Strict):
    """One entry of the file."""

    id: str = Field(pattern="^[a-z0-9][a-z0-9._-]{0,127}$")
    keys: tuple[ClientKey, ...] = Field(min_length=1, max_length=4)
    certificate: str = Field(pattern="^spiffe://papermesh/ns/[a-z0-9-]+/(sa|client)/[A-Za-z0-9._-]+$")
    actions: tuple[Glob, ...] = ()
    projects: tuple[Glob, ...] = ()
    acts_for: bool = False
    grants: tuple[Grant, ...] | None = None
    """None: every actor has the client's rights. Otherwise an actor has the rights in the grants that name it."""

    rate: RateOverride | None = None
    """For all its calls together; None: the deployment's."""

    rates: dict[Limited, RateOverride] = Field(default_factory=dict)
    """For each actor's calls of an action, "PDF_TEXT", or of another method, "PutDocument"."""

    quota_bytes: int | None = Field(None, ge=0, lt=2**53)
    """Bytes of uploads that may be stored for it; None: the deployment's."""

    quota_documents: int | None = Field(None, ge=0, lt=2**53)
    """How many uploads may be stored for it; None: the deployment's."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len({key.id for key in self.keys}) != len(self.keys):
            raise ValueError("two keys share an id")
        if self.grants is not None and not self.acts_for:
            raise ValueError("only a client with acts_for can have grants")
        return self

    @property
    def secrets(self) -> Iterable[bytes]:
        """The secrets of its active keys."""
        return (key.secret for key in self.keys)

    def rights(self, actor: str) -> Rights:
        """What an actor may do through this client; the client's own id is the client itself."""
        return self._rights_of(actor)

    @functools.cached_property
    def _rights_of(self) -> Callable[[str], Rights]:
        own = Allowance(Globs(self.actions), Globs(self.projects))
        grants = [
            (Globs(grant.actors), Allowance(Globs(grant.actions), Globs(grant.projects))) for grant in self.grants or ()
        ]

        @functools.lru_cache(_REMEMBERED_ACTORS)
        def rights_of(actor: str) -> Rights:
            if self.grants is None or actor == self.id:
                return Rights(own, None)
            return Rights(own, tuple(allowed for actors, allowed in grants if actors.match(actor)))

        return rights_of


class _File(_Strict):
    clients: tuple[Client, ...]


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
