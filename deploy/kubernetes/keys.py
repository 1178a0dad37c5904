"""`python -m deploy.kubernetes.keys`: makes the keys and passwords of a release, before it is installed or upgraded.

Each is made once and kept. Removing a Secret and upgrading makes another. One that is there without what it must hold
is an error, and is not written over.

<release>-clients         clients.json        who may call, and the keys they sign with; dispatch mounts it
<release>-adapter-key     adapter.json        what the adapter signs with
<release>-operator-key    operator.json       what whoever runs this signs with; no pod but the test's mounts it
<release>-audit-key       audit.json          what seals the audit logs
<release>-ticket-key      tickets.json        what seals tickets; the adapter mounts it
<release>-api-keys        api-keys.json       the hashes of API keys; the adapter mounts it
<release>-api-key         api-key             the first API key itself, for a person to read; no pod mounts it
<release>-redis-state     password            of Redis in its state role
<release>-redis-cache     password            of Redis in its cache role

The two keys to sign with belong to the list of clients: where it is another, they are written anew.
"""

import logging
import secrets
from collections.abc import Callable, Mapping
from functools import partial

from pydantic import Field, field_validator

from deploy.kubernetes.api_server import ApiServer, Secret, SecretError
from deploy.kubernetes.job import JobSettings, run
from mcp_adapter.people import api_keys_file, tickets
from mcp_adapter.people.api_keys import digest, new_api_key
from mcp_adapter.people.api_keys_file import ApiKey
from services.base import audit_chain
from services.base.settings import CommaList
from trust import clients_file, first_clients
from trust.clients_file import ListingError

_log = logging.getLogger(__name__)

_LISTING = "clients.json"
_UNLISTED = "papermesh/unlisted"
_PASSWORD_BYTES = 32


class KeySettings(JobSettings):
    """Which of them are wanted."""

    keys: CommaList = Field(description="What to make: clients, audit, tickets, api-keys, redis-state, redis-cache.")
    first_actor: str = Field("admin", min_length=1, max_length=256, description="Whom the first API key speaks for.")

    @field_validator("keys")
    @classmethod
    def _known(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := sorted(set(keys) - set(_MAKERS)):
            raise ValueError(f"there is nothing called {', '.join(unknown)} to make")
        return keys


class KeyJob:
    """One run. No file is written: keys go from memory to the API server."""

    def __init__(self, api: ApiServer, settings: KeySettings) -> None:
        """Does nothing yet."""
        self._api = api
        self._settings = settings

    def run(self) -> None:
        """Makes what is wanted and missing.

        Raises:
            ApiError: when a Secret cannot be read or written, or lacks what it must hold.
            ListingError: when the Secret with the clients holds something else.
        """
        for wanted in self._settings.keys:
            _MAKERS[wanted](self)

    def clients(self) -> None:
        """Who may call, and their keys."""
        held = self._held("clients", _LISTING)
        if held is None:
            content = clients_file.listing(first_clients.entries(self._settings.namespace))
            self._make("clients", {_LISTING: content})
        else:
            content = held.data[_LISTING]
        name = self._settings.named("clients")
        try:
            listed = clients_file.parse(content, f"{_LISTING} in the Secret {name}")
        except ListingError as error:
            raise ListingError(f"{error} Repair it, or remove the Secret to get new keys.") from None
        for client in first_clients.CLIENTS:
            file = f"{client}.json"
            key = self._held(f"{client}-key", file)
            new = first_clients.new_key_file(listed, client, key.data[file] if key else None)
            if new is not None:
                self._make(f"{client}-key", {file: new}, replaced=key)

    def audit(self) -> None:
        """The key that seals the audit logs."""
        if self._held("audit-key", "audit.json") is None:
            self._make("audit-key", {"audit.json": audit_chain.new_key_file()})

    def tickets(self) -> None:
        """The key that seals tickets."""
        if self._held("ticket-key", "tickets.json") is None:
            self._make("ticket-key", {"tickets.json": tickets.new_key_file()})

    def api_keys(self) -> None:
        """The first API key, and the list of hashes that begins with it.

        The key comes first, marked until the list has it, so that another run, even one at the same time, goes on with
        that key. A key without the mark had a list, which somebody removed to be rid of its keys.
        """
        key = self._held("api-key", "api-key")  # before its list: another run makes them in this order
        listed = self._held("api-keys", "api-keys.json")
        marked = key is not None and key.annotations.get(_UNLISTED) == "true"
        if listed is None:
            if key is None or not marked:
                made = {"api-key": new_api_key().encode()}
                key, marked = self._make("api-key", made, replaced=key, notes={_UNLISTED: "true"}), True
            first = ApiKey("first", self._settings.first_actor, digest(key.data["api-key"].decode()), None)
            self._make("api-keys", {"api-keys.json": api_keys_file.listing([first])})
        if key is not None and marked:
            self._make("api-key", key.data, replaced=key, notes={_UNLISTED: "false"})

    def password(self, role: str) -> None:
        """The password of Redis in a role, "redis-state" or "redis-cache"."""
        if self._held(role, "password") is None:
            self._make(role, {"password": new_password().encode()})

    def _held(self, what: str, file: str) -> Secret | None:
        """One of the release's Secrets, which has this file; None where there is none.

        Raises:
            SecretError: when it lacks that. Somebody made it, and knows what is in it.
        """
        found = self._api.secret(self._settings.named(what))
        if found and not found.data.get(file):
            raise SecretError(
                f"The Secret {found.name} has no {file}. Add what is missing, or remove the Secret to get a new one."
            )
        return found

    def _make(
        self,
        what: str,
        files: Mapping[str, bytes],
        replaced: Secret | None = None,
        notes: Mapping[str, str] | None = None,
    ) -> Secret:
        name = self._settings.named(what)
        made = self._api.put(name, files, replaced=replaced, annotations=notes)
        _log.info("the Secret %s is written", name)
        return made


_MAKERS: Mapping[str, Callable[[KeyJob], None]] = {
    "clients": KeyJob.clients,
    "audit": KeyJob.audit,
    "tickets": KeyJob.tickets,
    "api-keys": KeyJob.api_keys,
    "redis-state": partial(KeyJob.password, role="redis-state"),
    "redis-cache": partial(KeyJob.password, role="redis-cache"),
}


def new_password() -> str:
    """A password for a Redis, of characters that its start and a URL take as they are."""
    return secrets.token_urlsafe(_PASSWORD_BYTES)


if __name__ == "__main__":
    run("keys", KeySettings, lambda api, settings: KeyJob(api, settings).run())
