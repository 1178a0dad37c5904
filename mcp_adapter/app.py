"""The application: its routes, the order they stand in, and what they share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mcp_adapter import catalogue, documents, health
from mcp_adapter.api_docs import describe
from mcp_adapter.dispatch_client import DispatchClient
from mcp_adapter.envelope import Exchange, failure
from mcp_adapter.invoke import invoke
from mcp_adapter.settings import AdapterSettings
from services.base.channel import open_channel
from services.base.errors import Code, PapermeshError, bad_arg
from services.base.signature import Key


def create_app(settings: AdapterSettings, key: Key) -> FastAPI:
    """The adapter as an ASGI application.

    Args:
        settings: Its settings.
        key: The key that signs its calls.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        settings.spool_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        async with open_channel(settings.edge_address, settings.tls_dir) as channel:
            app.state.dispatch = DispatchClient(channel, key, settings.audience)
            yield

    # FastAPI's own /docs loads its assets from a CDN; this serves them from here, as a company's network needs.
    app = FastAPIOffline(title="Papermesh", lifespan=lifespan, redoc_url=None, redirect_slashes=False)
    app.state.settings = settings
    app.state.ready = False
    app.router.routes.append(Route("/mcp/invoke", invoke, methods=["POST"]))
    app.include_router(catalogue.router)
    app.include_router(documents.router)
    app.include_router(health.router)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]  # FastAPI's documented way to extend it
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _bug)
    return app


async def _http_error(request: Request, error: Exception) -> Response:
    """A path or a method that does not exist, in the envelope of every other answer."""
    status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
    if status == HTTPStatus.NOT_FOUND:
        answer = PapermeshError(Code.NOT_FOUND, "There is no such path. GET /docs lists them.")
    else:
        answer = bad_arg(f"{request.method} is not how this path is called. GET /docs says how.")
    return failure(Exchange.begin(request), answer)


async def _bug(request: Request, _: Exception) -> Response:
    """A bug of ours; Starlette has logged it by the time this runs."""
    return failure(Exchange.begin(request), PapermeshError(Code.INTERNAL, "Something went wrong on our side."))
