"""Asks who calls, before anything else happens."""

import logging
from collections.abc import Callable
from typing import Protocol

from starlette.datastructures import QueryParams
from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_adapter.http.envelope import Exchange, failure
from mcp_adapter.people import tickets
from mcp_adapter.people.actors import LOCAL_ACTOR
from mcp_adapter.people.api_keys import ApiKeys
from mcp_adapter.people.bearer import challenge, credential
from mcp_adapter.people.issuer import Issuer
from mcp_adapter.people.settings import PeopleSettings
from mcp_adapter.people.tokens import Tokens
from services.base.errors import Code, PapermeshError

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

    def __init__(self, app: ASGIApp, people: People | None, ticket_keys: Callable[[], tickets.TicketKeys]) -> None:
        """Passes on to `app` requests from `people`, or from anybody if that is None, and those with a ticket."""
        self._app = app
        self._people = people
        self._ticket_keys = ticket_keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] == "http" and not _is_open(scope["path"]):
            exchange = Exchange.of(scope)
            try:
                await self._identify(scope, exchange)
            except PapermeshError as error:
                response = failure(exchange, error)
                if wanted := challenge(error):
                    response.headers["WWW-Authenticate"] = wanted
                _log.info("Rejected a caller: %s", error, extra={"fields": {"request_id": exchange.identify()}})
                await response(scope, receive, send)
                return
            if exchange.nonce:
                await self._once(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _once(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request with a ticket on; that it was used before is told as it is, and not as a replayed call."""
        try:
            await self._app(scope, receive, send)
        except PapermeshError as error:
            raise tickets.not_good() if error.code is Code.UNAUTHENTICATED else error from error

    async def _identify(self, scope: Scope, exchange: Exchange) -> None:
        """Notes who calls: by a ticket, which stands in the URL of a GET alone, or else by the Authorization header.

        Raises:
            PapermeshError: UNAUTHENTICATED or BAD_ARG for who is nobody; UNAVAILABLE when that cannot be checked now.
        """
        sent = QueryParams(scope["query_string"]).get("ticket") if scope["method"] == "GET" else None
        if sent is not None:
            ticket = tickets.unseal(self._ticket_keys(), sent, scope["path"])
            exchange.actor, exchange.nonce = ticket.actor, ticket.nonce
            return
        exchange.actor = await self._people.actor(credential(scope["headers"])) if self._people else LOCAL_ACTOR


def _is_open(path: str) -> bool:
    return path in OPEN_PATHS or path.startswith(_OPEN_FOLDER)
