"""Asking an API server again that cannot answer just now: it restarts, or has too much to do."""

import time
from collections.abc import Sequence
from http import HTTPStatus

import httpx

_PAUSES_S = (0.5, 1.0, 2.0, 4.0)
_LONGEST_PAUSE_S = 10.0


class Patient(httpx.BaseTransport):
    """Sends a request again, a few times, where that changes nothing twice.

    What never reached the server, as when a new pod's network policies are a moment late, was not done, and neither was
    what it refused for its rate (429). What failed otherwise may have been done: only questions are asked again, and a
    command fails.
    """

    def __init__(self, transport: httpx.BaseTransport, pauses_s: Sequence[float] = _PAUSES_S) -> None:
        """Sends nothing yet.

        Args:
            transport: What sends a request once.
            pauses_s: Seconds before each further try; a Retry-After makes one longer, up to ten seconds.
        """
        self._transport = transport
        self._pauses_s = pauses_s

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Called by httpx.

        Raises:
            httpx.TransportError: when there was no answer, in the last try or to a command.
        """
        for pause_s in self._pauses_s:
            try:
                answer = self._transport.handle_request(request)
            except httpx.TransportError as error:
                if request.method != "GET" and not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
                    raise
                longer_s = 0.0
            else:
                if not _may_pass(request, answer):
                    return answer
                longer_s = _retry_after(answer)
                answer.close()
            time.sleep(max(pause_s, longer_s))  # nothing tells when the server can answer again
        return self._transport.handle_request(request)

    def close(self) -> None:
        """Called by httpx."""
        self._transport.close()


def _may_pass(request: httpx.Request, answer: httpx.Response) -> bool:
    if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        return True
    return request.method == "GET" and answer.is_server_error


def _retry_after(answer: httpx.Response) -> float:
    """Seconds, 0 where the answer names none; a date, which an API server never sends, is none."""
    said = answer.headers.get("Retry-After", "")
    return min(float(said), _LONGEST_PAUSE_S) if said.isascii() and said.isdigit() else 0.0
