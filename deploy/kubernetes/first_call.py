"""`python -m deploy.kubernetes.first_call`: what `helm test` runs. A document is uploaded and read, twice over.

Once by a call that the operator signs, at Envoy's edge: certificates, signature, dispatch, the document engine. And
once through the adapter, with the first API key where there is one: its Service, its Host check, its key.
"""

import asyncio
import hashlib
import io
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx
from pydantic import Field

from deploy.kubernetes.bearer import Bearer
from mcp_adapter.dispatch_client import DispatchClient
from services.base import telemetry
from services.base.channel import open_channel
from services.base.errors import Code, OperatorError, PapermeshError
from services.base.settings import HostPort, WorkloadSettings
from services.base.signature import read_key_file
from services.base.signed_client import Person

_Answer = TypeVar("_Answer")

_ACTION = "PDF_METADATA"
_TIMEOUT_S = 30.0
_REACHED_WITHIN_S = 30.0
"""A new pod's ways through the network may open a moment after it has started."""

_AGAIN_AFTER_S = 0.5


class FirstCallError(OperatorError):
    """Something answered otherwise than it must; the text says what."""


class FirstCallSettings(WorkloadSettings):
    """Whom to call, and as whom."""

    edge_address: HostPort = Field(description="Envoy's edge listener, host:port.")
    audience: str = Field(description="Name of the deployment.")
    key_file: Path = Field(description="The file with the operator's key.")
    adapter_url: str = Field(pattern="^https?://", description="The adapter's base URL.")
    api_key_file: Path | None = Field(
        None, description="The file with an API key; without it, the adapter is only asked whether it is ready."
    )
    document: Path = Field(description="The PDF that is read.")


async def signed_call(settings: FirstCallSettings) -> int:
    """Uploads the document as the operator and reads it.

    Returns:
        How many pages it has.

    Raises:
        PapermeshError: whatever the mesh answered.
        KeyFileError: when the operator's key cannot be read.
        FirstCallError: when the answer is about another document.
    """
    content = settings.document.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    key = read_key_file(settings.key_file)
    operator = Person("", telemetry.continue_trace(None))
    async with open_channel(settings.edge_address, settings.tls_dir) as channel:
        client = DispatchClient(channel, lambda: key, settings.audience)
        stored = await client.put_document(io.BytesIO(content), digest, len(content), operator)
        reference = {"type": stored.doc_ref.type, "sha256": stored.doc_ref.sha256}
        answer = await client.invoke(_ACTION, {"doc_ref": reference}, operator)
    return _pages(json.loads(answer.json), digest)


def adapter_call(settings: FirstCallSettings) -> int | None:
    """Does the same through the adapter.

    Returns:
        How many pages the document has; None without an API key, when the adapter is ready.

    Raises:
        BearerError: when there is no API key in its file.
        FirstCallError: when it answers otherwise than it must.
        httpx.HTTPError: when it does not answer.
    """
    content = settings.document.read_bytes()
    key = Bearer(settings.api_key_file) if settings.api_key_file else None
    with httpx.Client(base_url=settings.adapter_url, auth=key, timeout=_TIMEOUT_S, trust_env=False) as http:
        if key is None:
            _ask(http, "GET", "/readyz")
            return None
        stored = _ask(http, "POST", "/documents", content=content)
        body = {"action": _ACTION, "args": {"doc_ref": stored["data"]["doc_ref"]}}
        answer = _ask(http, "POST", "/mcp/invoke", json=body)
    return _pages(answer["data"], hashlib.sha256(content).hexdigest())


def _ask(http: httpx.Client, method: str, path: str, **content: Any) -> dict[str, Any]:
    try:
        response = http.request(method, path, **content)
        answer: dict[str, Any] = response.json()
    except ValueError:
        raise FirstCallError(f"{method} {path} of the adapter: the answer is not JSON.") from None
    if not response.is_success:
        said = answer.get("error", answer)
        raise FirstCallError(f"{method} {path} of the adapter: {response.status_code} {json.dumps(said)}.")
    return answer


def _pages(result: dict[str, Any], digest: str) -> int:
    if result.get("sha256") != digest or not result.get("pages"):
        raise FirstCallError(f"{_ACTION} answers for another document than the one that was sent.")
    return int(result["pages"])


def _reached(call: Callable[[], _Answer]) -> _Answer:
    """Makes a call, again and again while nobody is reached."""
    deadline = time.monotonic() + _REACHED_WITHIN_S
    while True:
        try:
            return call()
        except (PapermeshError, httpx.ConnectError) as error:
            away = not isinstance(error, PapermeshError) or error.code is Code.UNAVAILABLE
            if not away or time.monotonic() > deadline:
                raise
        time.sleep(_AGAIN_AFTER_S)  # nothing tells when the way is open


def main() -> None:
    """Reads the settings and makes the calls; ends with status 1 and a sentence when one fails."""
    try:
        settings = FirstCallSettings.read()
        pages = _reached(lambda: asyncio.run(signed_call(settings)))
        sys.stdout.write(f"Signed by the operator: {_ACTION} of {settings.document.name}, {pages} pages.\n")
        pages_again = _reached(lambda: adapter_call(settings))
    except httpx.HTTPError as error:
        sys.exit(f"The adapter at {settings.adapter_url} does not answer: {error or type(error).__name__}.")
    except OSError as error:
        sys.exit(f"{error.filename} cannot be read: {error.strerror}.")
    except (OperatorError, PapermeshError) as error:
        sys.exit(str(error))
    said = "it is ready" if pages_again is None else f"{_ACTION}, {pages_again} pages"
    sys.stdout.write(f"Through the adapter: {said}.\n")


if __name__ == "__main__":
    main()
