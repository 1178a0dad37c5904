"""The one place where an error becomes an answer, and where each answer gets the id of its request."""

import logging

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_adapter.http.envelope import Exchange, failure
from services.base.errors import Code, PapermeshError, bad_arg

_log = logging.getLogger(__name__)


class ErrorHandler:
    """The outermost layer. A second one sits inside CORS, which adds headers to errors too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange: Exchange | None = scope.setdefault("state", {}).get("exchange")
        if exchange is None:
            exchange = Exchange.begin(scope)
            send = exchange.identified(send)
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            if not exchange.answers:
                await failure(exchange, _told(error, exchange))(scope, receive, send)
                return
            if not isinstance(error, PapermeshError):
                raise
            # Too late for another answer; ending short of its length shows that it failed.
            fields = {"request_id": error.request_id or exchange.request_id, **error.details}
            _log.warning("An answer was cut short: %s", error, extra={"fields": fields})


def _told(error: Exception, exchange: Exchange) -> PapermeshError:
    """The error for the caller. Our own bugs are logged under the id in the answer."""
    if isinstance(error, PapermeshError):
        return error
    if isinstance(error, ClientDisconnect):
        return bad_arg("The caller disconnected before the answer.")
    _log.error("A request hit a bug.", exc_info=error, extra={"fields": {"request_id": exchange.identify()}})
    message = "Something went wrong on our side. The log has it under this answer's request_id; please report it."
    return PapermeshError(Code.INTERNAL, message)
