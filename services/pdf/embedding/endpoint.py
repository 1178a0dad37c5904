"""Vectors from an OpenAI-compatible endpoint: one URL, which the operator sets and no caller can.

The service calls it, never a worker. It is asked once for each batch and never again for the same one: whoever waits
for the answer may have left, and an endpoint in trouble is not helped by more questions. Its answers are not trusted.
"""

import asyncio
import base64
import binascii
import logging
import ssl
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson

from services.base.errors import Code, OperatorError, PapermeshError, bad_field
from services.base.private_file import read_private
from services.base.settings import url_parts
from services.pdf.embedding.models import MAX_DIMENSION, Role
from services.pdf.embedding.vectors import NoVectorError, Vectors, to_unit, unpack
from services.pdf.settings import PdfSettings

_LOG = logging.getLogger(__name__)

NAME = "endpoint"
"""What callers call its model."""

BATCH = 32
"""Texts in one request."""

_AT_A_TIME = 4
"""Requests under way, of all callers together."""

_ANSWER_BYTES = 8 << 20
"""The largest answer that is read: 32 vectors of 8,192 numbers in decimals have 6 MB."""

_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0
"""How long nobody calls after a 429 that does not say, and at most."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

_OF_THE_TEXTS = frozenset({400, 413, 422})
"""Statuses that say something of the texts rather than of the endpoint."""


class Endpoint:
    """The endpoint that settings name."""

    def __init__(self, settings: PdfSettings) -> None:
        """Reads the key. Raises OperatorError for settings that cannot work."""
        self.id = f"{NAME}/{settings.pdf_embed_model}"
        self.address = _checked(settings)
        self._model = settings.pdf_embed_model
        self.dimension = settings.pdf_embed_dimension
        self._timeout_s = settings.pdf_embed_timeout_s
        self._places = asyncio.Semaphore(_AT_A_TIME)
        self._quiet_until = 0.0
        # No compression: a few bytes could unpack to a great many.
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", **_authorization(settings)}
        trust = ssl.create_default_context()  # the machine's CAs; SSL_CERT_FILE names others
        outside = urlsplit(self.address).hostname not in _LOOPBACK
        # Redirects are not followed: texts and key are for this URL alone. A proxy is for the world outside.
        self._http = httpx.AsyncClient(
            verify=trust, trust_env=outside, follow_redirects=False, headers=headers, timeout=self._timeout_s
        )

    async def aclose(self) -> None:
        """Closes its connections."""
        await self._http.aclose()

    async def vectors(self, texts: Sequence[str], _role: Role, deadline: float) -> Vectors:
        """The vectors of the texts. `deadline` is a time of the loop's clock.

        Raises PapermeshError: TIMEOUT when an answer did not come in time, RATE_LIMIT when the endpoint asked for a
        pause, BAD_ARG on `texts` when it refuses them, and ENGINE_FAIL with details.reason "embed_endpoint" for
        anything else that it did.
        """
        rows: list[bytes] = []
        for start in range(0, len(texts), BATCH):
            rows += await self._batch(texts[start : start + BATCH], deadline)
        return Vectors(self.id, self.dimension, rows)

    async def _batch(self, texts: Sequence[str], deadline: float) -> list[bytes]:
        now = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(min(deadline, now + self._timeout_s)), self._places:
                if (pause := self._quiet_until - asyncio.get_running_loop().time()) > 0:
                    raise _busy(pause)
                status, headers, body = await self._ask(texts)
        except TimeoutError:
            raise _failed("did not answer in time", Code.TIMEOUT) from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise _failed(f"cannot be reached: {type(error).__name__}") from None
        if status == httpx.codes.TOO_MANY_REQUESTS:
            pause = _seconds(headers.get("retry-after", ""))
            self._quiet_until = asyncio.get_running_loop().time() + pause
            raise _busy(pause)
        if status in _OF_THE_TEXTS:
            raise bad_field("texts", f"the endpoint for embeddings refuses them ({status}); send shorter ones")
        if status != httpx.codes.OK:
            raise _failed(f"answered {status}")
        try:
            return self._rows(orjson.loads(body), len(texts))
        except orjson.JSONDecodeError:
            raise _failed("did not answer with JSON") from None
        except NoVectorError as error:
            raise _failed(f"did not answer with vectors: {error}") from None

    async def _ask(self, texts: Sequence[str]) -> tuple[int, httpx.Headers, bytes]:
        asked = orjson.dumps({"model": self._model, "input": texts, "encoding_format": "float"})
        sent = {"Content-Type": "application/json"}
        async with self._http.stream("POST", self.address, content=asked, headers=sent) as response:
            if response.status_code != httpx.codes.OK:
                return response.status_code, response.headers, b""  # its words may quote the texts
            body = bytearray()
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > _ANSWER_BYTES:
                    raise _failed(f"answered with more than {_ANSWER_BYTES} bytes")
            return response.status_code, response.headers, bytes(body)

    def _rows(self, answer: Any, count: int) -> list[bytes]:
        """The vectors in an answer, by the places that it gives them; all of one dimension, which never changes."""
        data = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(data, list) or not all(isinstance(each, dict) for each in data):
            raise NoVectorError("there is no list of data")
        by_place = {str(each.get("index", place)): each.get("embedding") for place, each in enumerate(data)}
        if len(data) != count or by_place.keys() != {str(place) for place in range(count)}:
            raise NoVectorError(f"{len(data)} vectors for {count} texts, or two for one of them")
        rows = [_numbers(by_place[str(place)]) for place in range(count)]
        dimension = self.dimension or min(len(rows[0]), MAX_DIMENSION)
        if any(len(row) != dimension for row in rows):
            raise NoVectorError(f"not all of them have {dimension} numbers")
        found = [to_unit(row) for row in rows]
        self.dimension = dimension  # for good, once it has proved right
        return found


def _checked(settings: PdfSettings) -> str:
    """The address for embeddings; OperatorError if it cannot be one."""
    parts = url_parts(settings.pdf_embed_url)
    local = parts.hostname in _LOOPBACK
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise OperatorError("PAPERMESH_PDF_EMBED_URL must be https://host/v1: no query, and no key in it.")
    if settings.pdf_embed_key_file and parts.scheme != "https" and not local:
        raise OperatorError("PAPERMESH_PDF_EMBED_URL must be https, since a key is sent there.")
    if not settings.pdf_embed_model:
        raise OperatorError("PAPERMESH_PDF_EMBED_MODEL must name the model of PAPERMESH_PDF_EMBED_URL.")
    return f"{settings.pdf_embed_url.rstrip('/')}/embeddings"


def _authorization(settings: PdfSettings) -> dict[str, str]:
    if settings.pdf_embed_key_file is None:
        return {}
    try:
        key = read_private(settings.pdf_embed_key_file).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no key"
        raise OperatorError(f"PAPERMESH_PDF_EMBED_KEY_FILE cannot be used: {why}.") from None
    return {"Authorization": f"Bearer {key}"}


def _numbers(embedding: Any) -> list[Any]:
    """A vector as it stands in an answer: a list, or packed in base64 where an endpoint knows only that."""
    if isinstance(embedding, str):
        try:
            return unpack(base64.b64decode(embedding, validate=True))
        except binascii.Error:
            raise NoVectorError("a vector is no base64") from None
    if not isinstance(embedding, list):
        raise NoVectorError("a vector is no list")
    return embedding


def _seconds(retry_after: str) -> float:
    return min(float(retry_after), _LONGEST_PAUSE_S) if retry_after.isdecimal() else _PAUSE_S


def _busy(pause_s: float) -> PapermeshError:
    milliseconds = max(1, round(pause_s * 1000))
    return PapermeshError(
        Code.RATE_LIMIT,
        f"The endpoint for embeddings is busy; try again in {milliseconds} ms.",
        retry_after_ms=milliseconds,
        details={"reason": "embed_endpoint"},
    )


def _failed(what: str, code: Code = Code.ENGINE_FAIL) -> PapermeshError:
    """Not UNAVAILABLE: everything else works, and the mesh would eject the host."""
    _LOG.warning("the endpoint for embeddings %s", what)
    message = f"The endpoint for embeddings {what}. Ask whoever runs Papermesh, or name another model."
    return PapermeshError(code, message, details={"reason": "embed_endpoint"})
