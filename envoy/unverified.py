"""What has not been verified gets three seconds: Envoy's own clock, for what never reaches dispatch or hangs there.

The clock runs from a call's first byte until its request has come whole or its answer begins. Where a request is a
stream, dispatch begins its answer once it has verified the first message (`services.base.shares`).
"""

from datetime import timedelta
from http import HTTPStatus

from envoy.answers import typed_answer
from envoy.message import Message, extension
from envoy.routes import GRACE
from services.base.shares import UNVERIFIED_S, not_verified

REQUEST_TIMEOUT = timedelta(seconds=UNVERIFIED_S) + GRACE
"""A little longer than dispatch waits, whose answer is the better one."""

_REQUEST_TIMEOUT_DETAILS = "request_overall_timeout"


def answer() -> Message:
    """Envoy's answer when that clock has run out, as the error that dispatch itself answers.

    The deadline of a call has the same HTTP status, and is told by its own words.
    """
    mapper = typed_answer(HTTPStatus.REQUEST_TIMEOUT, not_verified())
    came_too_slowly = extension(
        "access_loggers.extension_filters.cel",
        "extensions.access_loggers.filters.cel.v3.ExpressionFilter",
        expression=f"response.code_details == {_REQUEST_TIMEOUT_DETAILS!r}",
    )
    return {**mapper, "filter": {"extension_filter": came_too_slowly}}
