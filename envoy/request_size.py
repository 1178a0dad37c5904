"""How long the request of a call may be, and how Envoy says that one is longer.

A call that sends one message is held until it is whole, and refused as soon as it grows too long; a stream passes as it
comes.
"""

from envoy.limits import REQUEST_BYTES
from envoy.message import Message, extension, typed

_FILTER = "filters.http.buffer"
_PAYLOAD_TOO_LARGE = 413
_OUT_OF_RANGE = "11"


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
    """Envoy's 413 as gRPC: OUT_OF_RANGE, as a service itself answers, where UNKNOWN would stand otherwise."""
    is_too_large = {"op": "EQ", "value": {"default_value": _PAYLOAD_TOO_LARGE, "runtime_key": "payload_too_large"}}
    return {
        "filter": {"status_code_filter": {"comparison": is_too_large}},
        "headers_to_add": [
            {
                "header": {"key": "grpc-status", "value": _OUT_OF_RANGE},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }
        ],
    }
