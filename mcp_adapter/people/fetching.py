"""JSON from an issuer, over a trusted connection and within limits: its answers decide who may call."""

import asyncio
import ssl
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson

from mcp_adapter.http.loopback import is_loopback

MAX_BYTES = 256 * 1024
"""Bytes of the largest answer that is read."""

TIMEOUT_S = 5.0
"""Seconds for one answer, from the first packet to its last byte."""


_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}
"""No compression: a few bytes could unpack to a great many."""


class FetchError(Exception):
    """The issuer's answer is unusable, or did not come; the text says why, for the log."""


async def fetch_json(url: str) -> dict[str, Any]:
    """The JSON object behind a URL. Redirects are not followed: they could leave the issuer, or https.

    Raises:
        FetchError: for anything but one whole JSON object, in time.
    """
    # A company's proxy is for the world outside; no proxy leads to this machine.
    outside = not is_loopback(urlsplit(url).hostname or "")
    try:
        async with (
            asyncio.timeout(TIMEOUT_S),
            httpx.AsyncClient(verify=_trust(), trust_env=outside, timeout=TIMEOUT_S) as http,
            http.stream("GET", url, headers=_HEADERS) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise FetchError(f"{url} answered {response.status_code}")
            body = b""
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > MAX_BYTES:
                    raise FetchError(f"{url} answered more than {MAX_BYTES} bytes")
    except TimeoutError:
        raise FetchError(f"{url} did not answer within {TIMEOUT_S:g} seconds") from None
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        raise FetchError(f"{url} cannot be fetched: {str(error) or type(error).__name__}") from None
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise FetchError(f"{url} did not answer with JSON") from None
    if not isinstance(found, dict):
        raise FetchError(f"{url} did not answer with a JSON object")
    return found


@cache
def _trust() -> ssl.SSLContext:
    """The machine's CAs, with a company's own; SSL_CERT_FILE names others."""
    return ssl.create_default_context()
