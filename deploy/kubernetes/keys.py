"""`python -m deploy.kubernetes.keys`: makes the keys and passwords of a release, before it is installed or upgraded.

Each is made once and kept: a Secret that is there stays as it is, whatever is in it. Removing one and upgrading makes
another.

<release>-clients         clients.json        who may call, and the keys they sign with; dispatch mounts it
<release>-adapter-key     adapter.json        what the adapter signs with
<release>-operator-key    operator.json       what whoever runs this signs with; no pod but the test's mounts it
<release>-audit-key       audit.json          what seals the audit logs
<release>-api-keys        api-keys.json       the hashes of API keys; the adapter mounts it
<release>-api-key         api-key             the first API key itself, for a person to read; no pod mounts it
<release>-redis-state     password            of Redis in its state role, and as the line of a redis.conf that asks
<release>-redis-cache     requirepass.conf    for it; each role has its own
"""

import json
import logging
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import Field, field_validator

from deploy.kubernetes.api_server import ApiServer
from deploy.kubernetes.job import JobSettings, running
from mcp_adapter.people.api_keys import digest, new_api_key
from mcp_adapter.people.api_keys_file import ApiKey, changing
from services.base import clients_file
from services.base.clients_file import Entry, ListingError
from services.base.identity import workload_id
from services.base.settings import CommaList

_log = logging.getLogger(__name__)

_CLIENTS = ("adapter", "operator")
_LISTING = "clients.json"
_SECRET_BYTES = 32


class KeySettings(JobSettings):
    """Which of them are wanted."""

    keys: CommaList = Field(description="What to make: clients, audit, api-keys, redis-state, redis-cache.")
    first_actor: str = Field("admin", min_length=1, max_length=256, description="Whom the first API key speaks for.")

    @field_validator("keys")
    @classmethod
    def _known(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := sorted(set(keys) - set(_MAKERS)):
            raise ValueError(f"there is nothing called {', '.join(unknown)} to make")
        return keys


class KeyJob:
    """One run."""

    def __init__(self, api: ApiServer, settings: KeySettings) -> None:
        """Does nothing yet."""
        self._api = api
        self._settings = settings

    def run(self) -> None:
        """Makes what is wanted and missing.

        Raises:
            ApiError: when a Secret cannot be read or written.
            ListingError: when the Secret with the clients holds something else.
        """
        for wanted in self._settings.keys:
            _MAKERS[wanted](self)

    def clients(self) -> None:
        """Who may call, and their keys."""
        with TemporaryDirectory(prefix="papermesh-") as name:
            listing = Path(name, _LISTING)
            held = self._held("clients", _LISTING)
            if held is None:
                clients_file.write(listing, [_client(each, self._settings.namespace) for each in _CLIENTS])
                self._make("clients", {_LISTING: listing.read_bytes()})
            else:
                listing.touch(mode=0o600)
                listing.write_bytes(held)
            try:
                # The newest of its keys: a rotation that is under way ends with that one.
                keys = {entry["id"]: entry["keys"][-1] for entry in clients_file.read(listing)}
            except ListingError:
                raise ListingError(
                    f"The Secret {self._settings.named('clients')} has no list of clients with keys in {_LISTING}. "
                    "Mend it, or remove it to have new keys."
                ) from None
            for client in _CLIENTS:
                # A client that was taken off the list has no key; that is its operator's decision.
                if client in keys and self._held(f"{client}-key", f"{client}.json") is None:
                    file = Path(name, f"{client}.json")
                    clients_file.write_key_file(file, client, keys[client])
                    self._make(f"{client}-key", {file.name: file.read_bytes()})

    def audit(self) -> None:
        """The key that seals the audit logs."""
        if self._held("audit-key", "audit.json") is None:
            key = {"key_id": "k1", "secret": secrets.token_urlsafe(_SECRET_BYTES)}
            self._make("audit-key", {"audit.json": json.dumps(key, indent=2).encode()})

    def api_keys(self) -> None:
        """The first API key, and the list of hashes that begins with it."""
        if self._held("api-keys", "api-keys.json") is not None:
            return
        key = new_api_key()
        with TemporaryDirectory(prefix="papermesh-") as name:
            file = Path(name, "api-keys.json")
            with changing(file) as keys:
                keys.append(ApiKey("first", self._settings.first_actor, digest(key), None))
            # The key first: when the other is not written, another key takes its place the next time.
            self._make("api-key", {"api-key": key.encode()})
            self._make("api-keys", {file.name: file.read_bytes()})

    def redis_state(self) -> None:
        """The password of Redis in its state role."""
        self._redis("redis-state")

    def redis_cache(self) -> None:
        """The password of Redis in its cache role."""
        self._redis("redis-cache")

    def _redis(self, role: str) -> None:
        if self._held(role, "password") is None:
            password = secrets.token_urlsafe(_SECRET_BYTES)
            self._make(role, {"password": password.encode(), "requirepass.conf": f"requirepass {password}\n".encode()})

    def _held(self, what: str, file: str) -> bytes | None:
        found = self._api.secret(self._settings.named(what))
        return None if found is None else found.data.get(file)

    def _make(self, what: str, files: Mapping[str, bytes]) -> None:
        name = self._settings.named(what)
        self._api.put(name, files, replaced=self._api.secret(name))
        _log.info("the Secret %s is written", name)


_MAKERS: Mapping[str, Callable[[KeyJob], None]] = {
    "clients": KeyJob.clients,
    "audit": KeyJob.audit,
    "api-keys": KeyJob.api_keys,
    "redis-state": KeyJob.redis_state,
    "redis-cache": KeyJob.redis_cache,
}


def _client(name: str, namespace: str) -> Entry:
    return {
        "id": name,
        "keys": [clients_file.new_key()],
        "certificate": workload_id(namespace, name),
        "actions": ["*"],
        "projects": ["*"],
        "acts_for": name == "adapter",  # its actors are people; the operator calls for itself
    }


def main() -> None:
    """Reads the settings and runs."""
    with running("keys", ListingError):
        settings = KeySettings.read()
        with ApiServer(settings.namespace, settings.label_map) as api:
            KeyJob(api, settings).run()


if __name__ == "__main__":
    main()
