"""The one route that is called thousands of times a second, found without the router."""

from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send


class HotRoute:
    """Hands requests for one route straight to its endpoint, and passes on all others.

    It stands innermost, behind everything that decides who may come in, so nothing is asked less of a request that it
    takes. What it leaves out are FastAPI's exit stack and exception handlers and Starlette's search for the route,
    about as much work as the endpoint's own: errors are answered further out, as everybody's are. The route stays in
    the router too, which answers for its path where the method is another.
    """

    def __init__(self, app: ASGIApp, route: Route) -> None:
        """Takes a route with an asynchronous endpoint and a path without parameters."""
        self._app = app
        self._path = route.path
        self._methods = frozenset(route.methods or ())
        self._endpoint = route.endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] == "http" and scope["path"] == self._path and scope["method"] in self._methods:
            response = await self._endpoint(Request(scope, receive, send))
            await response(scope, receive, send)
            return
        await self._app(scope, receive, send)
