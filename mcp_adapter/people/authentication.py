"""Asks who calls, before anything else happens."""

import logging
from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_adapter.http.envelope import Exchange, failure
from mcp_adapter.people.actors import LOCAL_ACTOR
from mcp_adapter.people.api_keys import ApiKeys
from mcp_adapter.people.bearer import challenge, credential
from mcp_adapter.people.issuer import Issuer
from mcp_adapter.people.settings import PeopleSettings
from mcp_adapter.people.tokens import Tokens
from services.base.errors import PapermeshError

OPEN_PATHS = frozenset({"/healthz", "/readyz", "/docs", "/openapi.json"})
"""Paths that ask nobody. Probes carry no credentials, nor does a browser that opens the API's own description, which is
the same in every deployment. Every other path is closed, even if it does not exist."""

_OPEN_FOLDER = "/static-offline-docs/"
"""What /docs loads."""

_log = logging.getLogger(__name__)


class People(Protocol):
    """The people and agents who may call."""

    async def actor(self, credential: str) -> str:
        """The actor that a credential stands for.

        Raises:
            PapermeshError: UNAUTHENTICATED when it is nobody's; UNAVAILABLE when that cannot be checked now.
        """

    def check_ready(self) -> None:
        """Refuses while no caller can be identified.

        Raises:
            PapermeshError: UNAVAILABLE.
        """

    async def watch(self) -> None:
        """Keeps what identifies them up to date, until cancelled."""


def people_of(settings: PeopleSettings) -> People | None:
    """The people and agents that the settings name; None if callers are not asked.

    Raises:
        KeyFileError: when the file of API keys cannot be used.
    """
    if settings.auth == "api-keys" and settings.api_keys_file is not None:
        return ApiKeys(settings.api_keys_file)
    if settings.auth == "oidc":
        issuer = Issuer(settings.oidc_issuer, settings.oidc_jwks_url)
        return Tokens(issuer, settings.oidc_audience, settings.oidc_actor_claim)
    return None


class Authentication:
    """Lets known callers through, as the actor of the request."""

    def __init__(self, app: ASGIApp, people: People | None) -> None:
        """Passes on to `app` requests from `people`, or from anybody if that is None."""
        self._app = app
        self._people = people

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] == "http" and not _is_open(scope["path"]):
            exchange = Exchange.of(scope)
            try:
                exchange.actor = await self._people.actor(credential(scope["headers"])) if self._people else LOCAL_ACTOR
            except PapermeshError as error:
                response = failure(exchange, error)
                if wanted := challenge(error):
                    response.headers["WWW-Authenticate"] = wanted
                _log.info("Rejected a caller: %s", error, extra={"fields": {"request_id": exchange.identify()}})
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _is_open(path: str) -> bool:
    return path in OPEN_PATHS or path.startswith(_OPEN_FOLDER)
