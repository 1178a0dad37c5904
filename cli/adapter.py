"""The adapter's HTTP API, as the command line uses it."""

import json
import os
from dataclasses import dataclass
from typing import IO, Any, BinaryIO, Self
from urllib.parse import urlsplit

import httpx

from cli.failures import CallError, UsageError
from mcp_adapter.http.loopback import is_loopback
from services.base.errors import Code, FieldViolation, PapermeshError

_PIECE = 256 * 1024
# An action may take a minute, and an upload is answered when the mesh has stored it.
_TIMEOUT = httpx.Timeout(60, connect=5, read=330)


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer."""

    data: Any
    meta: dict[str, Any]
    text: str
    """The whole envelope, as it came."""


class Adapter:
    """A connection to one adapter, closed at the end of its `with` block."""

    def __init__(self, url: str) -> None:
        """Connects to the base URL `url` at the first call, with the API key or token in PAPERMESH_TOKEN.

        Raises:
            UsageError: when others could read these on the way.
        """
        self._url = url
        # A company's proxy is for the world outside; no proxy leads to this machine.
        self._http = httpx.Client(
            base_url=url,
            timeout=_TIMEOUT,
            trust_env=not is_loopback(urlsplit(url).hostname or ""),
            headers=_credentials(url),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def actions(self) -> Answer:
        """The catalogue: `data["actions"]`, ordered by name."""
        return self._answer("GET", "/actions")

    def invoke(
        self, action: str, args: dict[str, Any], *, no_cache: bool = False, idempotency_key: str | None = None
    ) -> Answer:
        """Runs an action."""
        headers = {"Cache-Control": "no-cache"} if no_cache else {}
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        return self._answer("POST", "/mcp/invoke", json={"action": action, "args": args}, headers=headers)

    def upload(self, file: BinaryIO) -> Answer:
        """Uploads an open file piece by piece."""
        return self._answer("POST", "/documents", content=file, headers={"Content-Type": "application/octet-stream"})

    def delete(self, sha256: str) -> Answer:
        """Deletes an uploaded document."""
        return self._answer("DELETE", f"/documents/{sha256}")

    def documents(self, page_size: int, page_token: str) -> Answer:
        """A page of one's own uploads."""
        return self._answer("GET", "/documents", params={"page_size": page_size, "page_token": page_token})

    def fetch(self, path: str, into: IO[bytes]) -> None:
        """Writes the bytes behind a path, a document's or a picture's, to `into`."""
        try:
            with self._http.stream("GET", path) as response:
                if not response.is_success:
                    response.read()
                    _read(response)
                for piece in response.iter_bytes(_PIECE):
                    into.write(piece)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None

    def _answer(self, method: str, path: str, **content: Any) -> Answer:
        try:
            return _read(self._http.request(method, path, **content))
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None

    def _unreachable(self, error: httpx.HTTPError) -> PapermeshError:
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            message = f"No adapter answers at {self._url}. `papermesh up` starts one; --url names another."
            return PapermeshError(Code.UNAVAILABLE, message)
        if isinstance(error, httpx.TimeoutException):
            return PapermeshError(Code.TIMEOUT, f"The adapter at {self._url} did not answer in time.")
        return PapermeshError(Code.UNAVAILABLE, f"The connection to {self._url} broke before the answer was complete.")


def _credentials(url: str) -> dict[str, str]:
    """Who calls. Only the environment says so: everybody on a machine can read its command lines."""
    token = os.environ.get("PAPERMESH_TOKEN")
    if not token:
        return {}
    if not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError("PAPERMESH_TOKEN is neither an API key nor a token.")
    if urlsplit(url).scheme != "https" and not is_loopback(urlsplit(url).hostname or ""):
        raise UsageError(f"PAPERMESH_TOKEN was not sent to {url}: others could read it on the way. Use https.")
    return {"Authorization": f"Bearer {token}"}


def _read(response: httpx.Response) -> Answer:
    """The answer in an envelope.

    Raises:
        CallError: when the envelope holds an error.
        PapermeshError: when it is not an envelope: something else listens there.
    """
    try:
        envelope = json.loads(response.content)
        meta = dict(envelope["meta"])
        if envelope["ok"]:
            return Answer(envelope["data"], meta, response.text)
        error = _error(envelope["error"], meta)
    except (ValueError, LookupError, TypeError, AttributeError):
        raise PapermeshError(
            Code.UNAVAILABLE,
            f"What answers at {response.url.copy_with(path='/')} is not an adapter (HTTP {response.status_code}).",
        ) from None
    raise CallError(error, response.text)


def _error(error: dict[str, Any], meta: dict[str, Any]) -> PapermeshError:
    code, message, details = str(error["code"]), str(error["message"]), error.get("details") or {}
    known = code in set(Code)
    return PapermeshError(
        Code(code) if known else Code.INTERNAL,
        message if known else f"{code}: {message}",
        retry_after_ms=error.get("retry_after_ms"),
        violations=tuple(
            FieldViolation(str(each["field"]), str(each["description"])) for each in details.get("fields", ())
        ),
        request_id=str(meta.get("request_id") or ""),
    )
