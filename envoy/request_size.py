"""How long a call's request may be, and what Envoy answers to a longer one.

Envoy streams a request and counts it on the way. If it buffered requests, somebody with a certificate and no key could
fill its heap with a few hundred that never end. A backend's gRPC may see from a message's first bytes that it is far
too long, and answer before Envoy does in its own code and words; those are replaced.
"""

from http import HTTPStatus

from envoy.answers import replacing_headers, typed_answer
from envoy.limits import REQUEST_BYTES
from envoy.message import Message, extension, typed
from services.base.served import message_too_large

_FILTER = "envoy.filters.http.body_size_limit"

_GRPCS_WORDS = "SERVER: Received message larger than max"
"""How grpc's own refusal of a long message begins; `tests/e2e/test_messages.py` notices when it changes."""


def http_filters() -> list[Message]:
    """The filters that refuse a long request, and replace gRPC's own words."""
    limit = extension(
        "extensions.filters.http.body_size_limit.v3.BodySizeLimit",
        max_request_bytes=REQUEST_BYTES,
    )
    return [_of_grpc(), limit]


def of_a_stream() -> Message:
    """For the route of a method whose request is a stream: only its single messages are limited, by the backend."""
    return {_FILTER: typed("config.route.v3.FilterConfig", disabled=True)}


def answer() -> Message:
    """Envoy's 413 as the error that a service itself gives: TOO_LARGE instead of a bare UNKNOWN."""
    return typed_answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message_too_large())


def _of_grpc() -> Message:
    """Turns a backend's answer with exactly these words into the error that a service itself gives."""
    words = {
        "input": extension(
            "type.matcher.v3.HttpResponseHeaderMatchInput",
            "matching.inputs.response_headers",
            header_name="grpc-message",
        ),
        "value_match": {"prefix": _GRPCS_WORDS},
    }
    skip = extension("extensions.filters.common.matcher.action.v3.SkipFilter", "filters.http.match_delegate.skip")
    return extension(
        "extensions.common.matching.v3.ExtensionWithMatcher",
        "filters.http.match_delegate",
        xds_matcher={
            "matcher_list": {
                "matchers": [{"predicate": {"not_matcher": {"single_predicate": words}}, "on_match": {"action": skip}}]
            }
        },
        extension_config=extension(
            "extensions.filters.http.header_mutation.v3.HeaderMutation",
            mutations={"response_mutations": replacing_headers(message_too_large())},
        ),
    )
