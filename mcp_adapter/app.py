"""The application: its routes, the order they stand in, and what they share."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import aclosing, asynccontextmanager
from http import HTTPStatus

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Mount, Route

from mcp_adapter.dispatch_client import DispatchClient
from mcp_adapter.http.concurrency import CALLS, DOWNLOADS, Places
from mcp_adapter.http.envelope import Exchange, failure
from mcp_adapter.http.error_handler import ErrorHandler
from mcp_adapter.http.hosts import KnownHosts
from mcp_adapter.http.hot_route import HotRoute
from mcp_adapter.http.peers import ForwardedShare, Peers
from mcp_adapter.http.spool import Spools
from mcp_adapter.people import tickets
from mcp_adapter.people.authentication import Authentication, people_of
from mcp_adapter.routes import catalogue, documents, health, images, reports
from mcp_adapter.routes import tickets as ticket_routes
from mcp_adapter.routes.api_docs import describe
from mcp_adapter.routes.invoke import invoke
from mcp_adapter.settings import AdapterSettings
from services.base.channel import open_channel
from services.base.errors import Code, PapermeshError, bad_arg
from services.base.refusals import Refusals
from services.base.signature import read_key_file
from services.base.watched_file import WatchedFile

_METHODS = ("DELETE", "GET", "HEAD", "POST")
_CORS_HEADERS = (
    "Authorization",
    "Cache-Control",
    "Content-Digest",
    "Content-Type",
    "Idempotency-Key",
    "If-None-Match",
    "traceparent",
)
_CORS_EXPOSED = ("Allow", "Content-Disposition", "ETag", "Retry-After", "WWW-Authenticate", "X-Request-Id")

_NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
"""FastAPI's own would look for providers at every request, and there are none here."""

_log = logging.getLogger(__name__)


def create_app(settings: AdapterSettings) -> FastAPI:
    """The adapter as an ASGI application.

    Raises:
        KeyFileError: when the file with its signing key, that of the API keys or that of tickets cannot be used.
    """
    key = WatchedFile(settings.key_file, read_key_file)
    people = people_of(settings)
    ticket_file = WatchedFile(settings.ticket_key_file, tickets.read_key_file) if settings.ticket_key_file else None
    own_tickets = tickets.key_of_this_process()

    def ticket_keys() -> tickets.TicketKeys:
        return ticket_file.value if ticket_file else own_tickets

    watched = [each.watch for each in (key, people, ticket_file) if each]

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        settings.spool_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        async with (
            open_channel(settings.edge_address, settings.tls_dir) as channel,
            open_channel(settings.edge_address, settings.tls_dir) as streams,
        ):
            app.state.dispatch = dispatch = DispatchClient(
                channel, lambda: key.value, settings.audience, streams=streams, refusals=Refusals()
            )
            async with _running(*(watch() for watch in watched)), aclosing(dispatch):
                yield

    # FastAPI's own /docs loads its assets from a CDN; this serves them from here, as a company's network needs.
    app = FastAPIOffline(
        title="Papermesh", lifespan=lifespan, redoc_url=None, redirect_slashes=False, telemetry=_NO_TELEMETRY
    )
    for route in app.routes:  # its pages; FastAPI's routes take no HEAD by themselves
        if isinstance(route, Route) and route.methods:
            route.methods.add("HEAD")
    app.state.settings = settings
    app.state.spools = Spools(settings.spool_dir, settings.max_document_bytes)
    app.state.calls = Places(CALLS)
    app.state.downloads = Places(DOWNLOADS)
    app.state.people = people
    app.state.ticket_keys = ticket_keys
    app.state.ready = False
    # The last one added runs first: what answers errors, shares behind proxies, Host and Origin, then CORS
    # (preflights bear no credentials), then who calls.
    hot = Route("/mcp/invoke", invoke, methods=["POST"])
    app.add_middleware(HotRoute, route=hot)
    app.add_middleware(Authentication, people=people, ticket_keys=ticket_keys)
    if settings.http_origins:
        app.add_middleware(ErrorHandler)
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.http_origins,
            allow_methods=_METHODS,
            allow_headers=_CORS_HEADERS,
            expose_headers=_CORS_EXPOSED,
        )
    app.add_middleware(KnownHosts, hosts=settings.http_hosts, origins=settings.http_origins)
    if settings.http_proxies:
        app.add_middleware(ForwardedShare, peers=Peers(settings.http_proxies))
    app.add_middleware(ErrorHandler)
    app.router.routes.append(hot)
    app.include_router(catalogue.router)
    app.include_router(documents.router)
    app.include_router(health.router)
    app.include_router(images.router)
    app.include_router(reports.router)
    app.include_router(ticket_routes.router)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]  # FastAPI's documented way to extend it
    app.add_exception_handler(HTTPException, _http_error)
    return app


@asynccontextmanager
async def _running(*watches: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Runs what keeps keys up to date for as long as the block lasts. One that fails is a bug, and logged at once."""
    tasks = [asyncio.create_task(watch) for watch in watches]
    for task in tasks:
        task.add_done_callback(_report)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception():
        _log.error("A background task ended; restart the adapter.", exc_info=task.exception())


async def _http_error(request: Request, error: Exception) -> Response:
    """A path or a method that does not exist, in the same envelope as every other answer."""
    exchange = Exchange.of(request)
    if isinstance(error, HTTPException) and error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        answer = bad_arg(f"{request.method} is not allowed on this path. GET /docs lists what is.")
        response = failure(exchange, answer, HTTPStatus.METHOD_NOT_ALLOWED)
        response.headers["Allow"] = _allowed(request) or (error.headers or {}).get("Allow", "")
        return response
    return failure(exchange, PapermeshError(Code.NOT_FOUND, "There is no such path. GET /docs lists them."))


def _allowed(request: Request) -> str:
    """The methods that a path takes. Each has a route of its own, and the error knows of one of them."""
    routes = [route for route in request.app.routes if not isinstance(route, Mount)]
    taken = (
        method
        for method in _METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    )
    return ", ".join(taken)
