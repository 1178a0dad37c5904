"""How long the request of a call may be, and how Envoy says that one is longer.

A call that sends one message is held until it is whole, and refused as soon as it grows too long; a stream passes as it
comes.
"""

from http import HTTPStatus

from envoy.answers import typed_answer
from envoy.limits import REQUEST_BYTES
from envoy.message import Message, extension, typed
from services.base.handlers import message_too_large

_FILTER = "filters.http.buffer"


def http_filter() -> Message:
    """The filter, off for every route that does not ask for it: it would wait for ever for a stream to end."""
    return {
        **extension(_FILTER, "extensions.filters.http.buffer.v3.Buffer", max_request_bytes=REQUEST_BYTES),
        "disabled": True,
    }


def of_one_message() -> Message:
    """For the route of a method whose request is one message."""
    limit = {"max_request_bytes": REQUEST_BYTES}
    return {f"envoy.{_FILTER}": typed("extensions.filters.http.buffer.v3.BufferPerRoute", buffer=limit)}


def answer() -> Message:
    """Envoy's 413 as the error that a service itself answers: TOO_LARGE, where a bare UNKNOWN would stand otherwise."""
    return typed_answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message_too_large())
