"""The adapter as a person or an agent sees it: HTTP and JSON, nothing else."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

STATUS = {
    "BAD_ARG": 400,
    "UNAUTHENTICATED": 401,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "CONFLICT": 409,
    "TOO_LARGE": 413,
    "RATE_LIMIT": 429,
    "TIMEOUT": 504,
    "UNAVAILABLE": 503,
    "ENGINE_FAIL": 500,
    "INTERNAL": 500,
}
"""The table of docs/errors.md."""

TRANSIENT = {"RATE_LIMIT", "TIMEOUT", "UNAVAILABLE"}

_WORDS_OF_THE_INSIDE = ("Traceback", "upstream connect error", "envoy", "RpcError", "/services/", "grpc", "MuPDF")
"""What no message may show: it means nothing to a caller."""

Content = bytes | Iterable[bytes]


@dataclass(frozen=True)
class Answer:
    """An answer in the envelope."""

    status: int
    headers: Mapping[str, str]
    body: dict[str, Any]

    @property
    def ok(self) -> bool:
        return bool(self.body["ok"])

    @property
    def code(self) -> str:
        """The error's code, or "" for a result."""
        return "" if self.ok else str(self.body["error"]["code"])

    @property
    def data(self) -> dict[str, Any]:
        """The result; fails with the error when there is none."""
        assert self.ok, self.body
        data: dict[str, Any] = self.body["data"]
        return data

    @property
    def meta(self) -> dict[str, Any]:
        meta: dict[str, Any] = self.body["meta"]
        return meta

    @property
    def details(self) -> dict[str, Any]:
        details: dict[str, Any] = self.body["error"]["details"]
        return details

    @property
    def message(self) -> str:
        return str(self.body["error"]["message"])

    @property
    def fields(self) -> list[str]:
        """The arguments that an error names."""
        return [each["field"] for each in self.details.get("fields", [])]

    def must_be(self, code: str, *, says: str = "", field: str = "", **details: str) -> "Answer":
        """Fails unless this is that error, whole and well formed.

        Args:
            code: One of docs/errors.md.
            says: Words that the message must have.
            field: An argument that details.fields must name.
            details: Other details it must have.
        """
        assert not self.ok, f"expected {code}, and it worked: {str(self.body)[:500]}"
        self.must_be_well_formed()
        error = self.body["error"]
        assert error["code"] == code, error
        assert says.lower() in error["message"].lower(), error["message"]
        if field:
            assert field in self.fields, error
        assert {key: error["details"].get(key) for key in details} == details, error
        return self

    def must_be_well_formed(self) -> None:
        """Fails unless the envelope is as docs/errors.md has it, whether it holds a result or an error."""
        assert self.headers["content-type"] == "application/json"
        assert self.body.keys() == ({"ok", "data", "meta"} if self.ok else {"ok", "error", "meta"}), self.body
        assert self.meta.keys() == {"request_id", "latency_ms", "cache", "trace_id"}
        assert len(self.meta["trace_id"]) == 32
        if self.ok:
            return
        error = self.body["error"]
        assert error.keys() == {"code", "message", "retry_after_ms", "is_transient", "details"}
        assert self.status == STATUS[error["code"]], error
        assert error["is_transient"] == (error["code"] in TRANSIENT)
        assert len(error["message"]) > 10, error
        for words in _WORDS_OF_THE_INSIDE:
            assert words not in error["message"], error
        for each in error["details"].get("fields", []):
            assert each.keys() == {"field", "description"}
            assert each["description"]
        wait_ms = error["retry_after_ms"]
        assert wait_ms is None or wait_ms > 0
        assert wait_ms is not None or error["code"] != "RATE_LIMIT"
        expected = None if wait_ms is None else str(math.ceil(wait_ms / 1000))
        assert self.headers.get("retry-after") == expected


class Adapter:
    """One adapter."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, timeout=60, trust_env=False, limits=httpx.Limits(max_connections=200))

    def close(self) -> None:
        self.http.close()

    def invoke(self, action: str, args: Mapping[str, Any] | None = None, **headers: str) -> Answer:
        """Calls an action; names of headers are written with underscores."""
        body = {"action": action, "args": {} if args is None else args}
        return self._answer(self.http.post("/mcp/invoke", json=body, headers=_headers(headers)))

    def invoke_raw(self, body: bytes) -> Answer:
        """Posts whatever bytes to the route of calls."""
        return self._answer(self.http.post("/mcp/invoke", content=body))

    def request(self, method: str, path: str, **how: Any) -> Answer:
        """Any request whose answer is in the envelope."""
        return self._answer(self.http.request(method, path, **how))

    def upload(self, content: Content, **headers: str) -> Answer:
        """Uploads a raw body."""
        return self._answer(self.http.post("/documents", content=content, headers=_headers(headers)))

    def reference(self, document: Path | bytes) -> dict[str, str]:
        """Uploads a document and returns what calls name it by."""
        content = document if isinstance(document, bytes) else document.read_bytes()
        reference: dict[str, str] = self.upload(content).data["doc_ref"]
        return reference

    def ask(self, action: str, document: Path | bytes, **args: Any) -> Answer:
        """Uploads a document and calls an action on it."""
        return self.invoke(action, {"doc_ref": self.reference(document), **args})

    def _answer(self, response: httpx.Response) -> Answer:
        return Answer(response.status_code, response.headers, response.json())


def _headers(names: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in names.items()}
