"""An OpenID issuer's keys: fetched, kept, and fetched again."""

import asyncio
import logging
import time
from collections.abc import Callable

from jwt import PyJWK

from mcp_adapter.people.fetching import FetchError, fetch_json
from mcp_adapter.people.key_set import KeySet, read_key_set
from mcp_adapter.people.settings import is_safe_url
from services.base.errors import Code, PapermeshError

REFRESH_S = 600.0
"""Seconds after which the keys are fetched again. A key that the issuer withdraws works for that long."""

RETRY_S = 30.0
"""Seconds between two fetches for an unknown key, or after a failed one: callers can make up key ids."""

KEEP_S = 12 * 3600.0
"""Seconds that keys are kept while the issuer cannot be reached. By then, tokens from before have expired."""

_log = logging.getLogger(__name__)


class Issuer:
    """The keys of one issuer."""

    def __init__(self, issuer: str, jwks_url: str = "", *, clock: Callable[[], float] = time.monotonic) -> None:
        """Knows no key until the first fetch. Without a `jwks_url`, the discovery document says where they are."""
        self.name = issuer
        self._jwks_url = jwks_url
        self._clock = clock
        self._keys: KeySet | None = None
        self._fetched = self._tried = -KEEP_S
        self._fetching: asyncio.Task[None] | None = None

    @property
    def keys(self) -> KeySet | None:
        """The keys, a new object after each fetch; None when there are none, or none fresh enough."""
        return self._keys if self._clock() - self._fetched < KEEP_S else None

    async def find(self, key_id: str | None, algorithm: str) -> PyJWK | None:
        """The key that a token names. If it is unknown, fetches the keys, at most every `RETRY_S`.

        Raises:
            PapermeshError: UNAVAILABLE while there are no keys at all.
        """
        found = self.keys.find(key_id, algorithm) if self.keys else None
        if found is None and (self._fetching or self._clock() - self._tried >= RETRY_S):
            await self.fetch()
        self.check_ready()
        return found or (self.keys.find(key_id, algorithm) if self.keys else None)

    def check_ready(self) -> None:
        """Refuses while no token can be checked.

        Raises:
            PapermeshError: UNAVAILABLE.
        """
        if self.keys is None:
            raise PapermeshError(
                Code.UNAVAILABLE,
                "The token issuer cannot be reached, so no caller can be identified. Try again.",
                retry_after_ms=max(1000, round((RETRY_S - self._clock() + self._tried) * 1000)),
            )

    async def watch(self) -> None:
        """Keeps the keys fresh, until cancelled."""
        while True:
            await self.fetch()
            await asyncio.sleep(REFRESH_S if self._fetched == self._tried else RETRY_S)

    async def fetch(self) -> None:
        """Fetches the keys; whoever asks meanwhile waits for the same answer. On failure, keeps those it has."""
        if self._fetching is None:
            self._tried = self._clock()
            self._fetching = asyncio.create_task(self._fetch(self._tried))
        await asyncio.shield(self._fetching)  # one caller that hangs up does not end it for the others

    async def _fetch(self, began: float) -> None:
        try:
            self._keys = read_key_set(await fetch_json(self._jwks_url or await self._discover()))
            self._fetched = began
        except FetchError as error:
            _log.warning("Could not fetch the keys of the issuer %s: %s", self.name, error)
        finally:
            self._fetching = None

    async def _discover(self) -> str:
        """The URL that the issuer gives for its keys (OpenID Connect Discovery 1.0)."""
        document = await fetch_json(f"{self.name.rstrip('/')}/.well-known/openid-configuration")
        url = document.get("jwks_uri")
        if document.get("issuer") != self.name:
            raise FetchError("its discovery document names another issuer; PAPERMESH_OIDC_ISSUER must match it")
        if not isinstance(url, str) or not is_safe_url(url):
            raise FetchError("its discovery document has no https jwks_uri")
        if url.startswith("http:") and self.name.startswith("https:"):
            raise FetchError("its jwks_uri is plain http")
        return url
