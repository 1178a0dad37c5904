"""The JSON around every answer (docs/errors.md): `ok`, then `data` or `error`, then `meta`."""

import math
import time
import uuid
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Message, Send

from services.base import telemetry
from services.base.errors import PapermeshError
from services.base.signed_client import Person

NO_STORE = {"Cache-Control": "no-store"}
"""What we do not cache, nobody else should."""

_TRACEPARENT = telemetry.TRACEPARENT.encode()


@dataclass(slots=True)
class Exchange:
    """One HTTP request, and what its answer will say about it."""

    traceparent: str
    actor: str = ""
    """Who calls; empty while that is unknown, and on paths that do not ask."""

    nonce: str = ""
    """What a ticket has its one signed call bear; empty for any."""

    started: float = field(default_factory=time.perf_counter)
    request_id: str = ""
    """Empty until the mesh or `identify` has given one."""

    cache: str = "none"
    answers: bool = False
    """Whether the answer has begun."""

    @classmethod
    def begin(cls, request: Mapping[str, Any]) -> "Exchange":
        """Continues the caller's trace. Later handlers of the request or its scope find this with `of`."""
        said = next((value.decode("latin-1") for name, value in request["headers"] if name == _TRACEPARENT), None)
        exchange: Exchange = cls(telemetry.continue_trace(said))
        request["state"]["exchange"] = exchange
        return exchange

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> "Exchange":
        """The exchange that was begun for this request."""
        begun: Exchange = request["state"]["exchange"]
        return begun

    @classmethod
    def alone(cls) -> "Exchange":
        """For an answer to bytes that became no request."""
        return cls(telemetry.continue_trace(None))

    @property
    def person(self) -> Person:
        """On whose behalf the mesh is called.

        Raises:
            LookupError: when no caller is known, which is a bug: an empty actor would be the adapter itself.
        """
        if not self.actor:
            raise LookupError("a call for nobody")
        return Person(self.actor, self.traceparent, self.nonce)

    def identify(self) -> str:
        """The id of the call in every log: the mesh's or, if it has none, one of ours in Envoy's format."""
        self.request_id = self.request_id or str(uuid.uuid4())
        return self.request_id

    def identified(self, send: Send) -> Send:
        """Sends an answer with the id of the call as `X-Request-Id`."""

        def identify(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                self.answers = True
                message["headers"] = [*message["headers"], (b"x-request-id", self.identify().encode())]
            return send(message)

        return identify

    def meta(self) -> dict[str, Any]:
        """The content of `meta`."""
        return {
            "request_id": self.identify(),
            "latency_ms": round((time.perf_counter() - self.started) * 1000),
            "cache": self.cache,
            "trace_id": telemetry.trace_id.get(),
        }


def success(exchange: Exchange, data: Any, status: int = 200) -> Response:
    """An answer with data to write as JSON."""
    return success_json(exchange, orjson.dumps(data), NO_STORE, status)


def success_json(exchange: Exchange, data: bytes, headers: Mapping[str, str], status: int = 200) -> Response:
    """An answer with data that is JSON already, and passes through untouched."""
    body = b'{"ok":true,"data":%b,"meta":%b}' % (data, orjson.dumps(exchange.meta()))
    return Response(body, status, headers, media_type="application/json")


def failure(exchange: Exchange, error: PapermeshError, status: int | None = None) -> Response:
    """An answer that says what went wrong; `status` if one is more specific than that of the error's code."""
    exchange.request_id = error.request_id or exchange.request_id
    details: dict[str, Any] = dict(error.details)
    if error.violations:
        details["fields"] = [{"field": each.field, "description": each.description} for each in error.violations]
    body = {
        "ok": False,
        "error": {
            "code": error.code,
            "message": error.message,
            "retry_after_ms": error.retry_after_ms,
            "is_transient": error.code.is_transient,
            "details": details,
        },
        "meta": exchange.meta(),
    }
    headers = dict(NO_STORE)
    if error.retry_after_ms is not None:  # rounded up: HTTP counts in whole seconds, and nobody is sent back too early
        headers["Retry-After"] = str(math.ceil(error.retry_after_ms / 1000))
    return Response(orjson.dumps(body), status or error.code.http_status, headers, media_type="application/json")


def refusal(error: PapermeshError, status: int | None = None) -> Response:
    """The same for bytes that became no request, whole: with the header that `Exchange.identified` adds elsewhere."""
    exchange = Exchange.alone()
    response = failure(exchange, error, status)
    response.headers["X-Request-Id"] = exchange.identify()
    return response
