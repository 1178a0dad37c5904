"""Asking an API server again that cannot answer just now: it restarts, or has too much to do.

What never reached the server, as when a new pod's network policies are a moment late, was not done, and neither was
what it refused for its rate. What failed otherwise may have been done: only questions are asked again, and a command
fails.
"""

from http import HTTPStatus

import httpx
from httpx_retries import Retry

COMMAND = Retry(
    total=4,
    allowed_methods=["GET", "POST", "PUT"],
    status_forcelist=[HTTPStatus.TOO_MANY_REQUESTS],
    retry_on_exceptions=[httpx.ConnectError, httpx.ConnectTimeout],
    backoff_factor=0.25,
    backoff_jitter=0,
    max_backoff_wait=10,
)
"""Pauses of half a second, one, two and four, or what the server names in Retry-After, up to ten."""

QUESTION = COMMAND.copy_with(
    status_forcelist=[HTTPStatus.TOO_MANY_REQUESTS, *range(500, 600)], retry_on_exceptions=[httpx.TransportError]
)
