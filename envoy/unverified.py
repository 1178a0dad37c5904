"""Unverified calls get three seconds. This is Envoy's own clock, for calls that never reach dispatch or hang there.

The clock runs from a call's first byte until its request is complete or its answer begins. If the request is a stream,
dispatch begins its answer once it has verified the first message (`services.base.shares`).
"""

from datetime import timedelta
from http import HTTPStatus

from envoy.answers import typed_answer
from envoy.message import Message, extension
from envoy.routes import GRACE
from services.base.shares import UNVERIFIED_S, not_verified

REQUEST_TIMEOUT = timedelta(seconds=UNVERIFIED_S) + GRACE
"""A little longer than dispatch waits, because dispatch's answer is better."""

_REQUEST_TIMEOUT_DETAILS = "request_overall_timeout"


def answer() -> Message:
    """Envoy's answer when that clock has run out, as the error that dispatch itself gives.

    A call's deadline has the same HTTP status; its text tells it apart.
    """
    mapper = typed_answer(HTTPStatus.REQUEST_TIMEOUT, not_verified())
    came_too_slowly = extension(
        "extensions.access_loggers.filters.cel.v3.ExpressionFilter",
        "access_loggers.extension_filters.cel",
        expression=f"response.code_details == {_REQUEST_TIMEOUT_DETAILS!r}",
    )
    return {**mapper, "filter": {"extension_filter": came_too_slowly}}
