"""How long the request of a call may be, and how Envoy says that one is longer.

A call that sends one message is held until it is whole, and refused as soon as it grows too long; a stream passes as it
comes.
"""

import base64

from envoy.limits import REQUEST_BYTES
from envoy.message import Message, extension, typed
from services.base import status
from services.base.handlers import message_too_large

_FILTER = "filters.http.buffer"
_PAYLOAD_TOO_LARGE = 413


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
    error = message_too_large()
    code = status.status_code(error)
    details = base64.b64encode(status.encode(error, code)).decode().rstrip("=")  # as gRPC sends what ends in -bin
    is_too_large = {"op": "EQ", "value": {"default_value": _PAYLOAD_TOO_LARGE, "runtime_key": "payload_too_large"}}
    return {
        "filter": {"status_code_filter": {"comparison": is_too_large}},
        "body": {"inline_string": error.message},
        "body_format_override": {"text_format_source": {"inline_string": "%LOCAL_REPLY_BODY%"}},
        "headers_to_add": [_header("grpc-status", str(code.value[0])), _header(status.DETAILS_KEY, details)],
    }


def _header(key: str, value: str) -> Message:
    return {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
