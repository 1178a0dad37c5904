"""What /openapi.json, and so /docs, says about the API."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from mcp_adapter.people.authentication import OPEN_PATHS
from services.base.errors import Code
from services.base.names import ACTION_PATTERN, IDEMPOTENCY_KEY_PATTERN

_ABOUT = """Ask a PDF what it says.

Upload a document (`POST /documents`), then invoke an action on it (`POST /mcp/invoke`). `GET /actions` lists the
actions with the JSON Schema of their arguments. Every answer is `{"ok": …, "data" or "error": …, "meta": …}`."""


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI description.

    The hot route is not a FastAPI endpoint, and uploads are read as they stream in, so FastAPI cannot know their
    bodies. No answer has FastAPI's own error format.
    """
    if not app.openapi_schema:
        schema = get_openapi(title="Papermesh", version="1", description=_ABOUT, routes=app.routes)
        schema["paths"] = {"/mcp/invoke": {"post": _INVOKE}, **schema["paths"]}
        schema["paths"]["/documents"]["post"]["requestBody"] = _DOCUMENT
        schema["paths"]["/tickets"]["post"]["requestBody"] = _TICKET
        for path in ("/documents/{sha256}", "/images/{image_id}", "/reports/{name}"):
            schema["paths"][path]["get"]["responses"]["304"] = _NOT_MODIFIED
        for name, path in schema["paths"].items():
            for operation in path.values():
                operation["responses"].pop("422", None)
                operation["responses"].setdefault("default", _FAILURE)
                if app.state.people is not None and name not in OPEN_PATHS:
                    operation["security"] = [{"bearer": []}]
        schema.pop("components", None)
        if app.state.people is not None:
            schema["components"] = {"securitySchemes": {"bearer": _BEARER}}
        app.openapi_schema = schema
    return app.openapi_schema


_META = {
    "type": "object",
    "properties": {
        "request_id": {"type": "string", "description": "The id of the call in every log."},
        "latency_ms": {"type": "integer", "description": "Milliseconds that the adapter took to answer."},
        "cache": {"enum": ["hit", "miss", "none"], "description": "Whether you got the same result before."},
        "trace_id": {"type": "string", "description": "W3C trace id, 32 hexadecimal digits."},
    },
}
_ERROR = {
    "type": "object",
    "properties": {
        "code": {"enum": list(Code)},
        "message": {"type": "string"},
        "retry_after_ms": {"type": ["integer", "null"]},
        "is_transient": {"type": "boolean"},
        "details": {"type": "object"},
    },
}


def _answer(description: str, *, ok: bool) -> dict[str, Any]:
    body = {"data": {"type": "object"}} if ok else {"error": _ERROR}
    schema = {"type": "object", "properties": {"ok": {"const": ok}, **body, "meta": _META}}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


_FAILURE = _answer("What went wrong and what to do", ok=False)

_NOT_MODIFIED = {"description": "You already have it: `If-None-Match` holds its tag."}

_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key, or a token of the issuer that this deployment trusts.",
}

_BYTES = {"type": "string", "format": "binary"}
_DOCUMENT: dict[str, Any] = {
    "required": True,
    "description": "The bytes of one PDF, as the body itself or as the only file of a form.",
    "content": {
        "application/pdf": {"schema": _BYTES},
        "multipart/form-data": {"schema": {"type": "object", "properties": {"file": _BYTES}}},
    },
}

_TICKET: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["path"],
                "additionalProperties": False,
                "properties": {
                    "path": {
                        "type": "string",
                        "description": "What to open: `/images/…`, `/documents/…` or `/reports/…`.",
                    }
                },
            },
            "example": {"path": "/images/img_…"},
        }
    },
}

_INVOKE: dict[str, Any] = {
    "tags": ["actions"],
    "summary": "Invoke an action",
    "operationId": "invoke",
    "parameters": [
        {
            "name": "Cache-Control",
            "in": "header",
            "schema": {"type": "string"},
            "description": "`no-cache` computes the result again.",
        },
        {
            "name": "Idempotency-Key",
            "in": "header",
            "schema": {"type": "string", "pattern": IDEMPOTENCY_KEY_PATTERN},
            "description": "Repeated with the same key within 24 hours, a call runs once and gets the same answer.",
        },
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["action"],
                    "additionalProperties": False,
                    "properties": {
                        "action": {
                            "type": "string",
                            "pattern": ACTION_PATTERN,
                            "description": "The action's name, as GET /actions lists it.",
                        },
                        "args": {"type": "object", "description": "Its arguments, as its args_schema describes them."},
                    },
                },
                "example": {
                    "action": "PDF_TEXT",
                    "args": {"doc_ref": {"type": "UPLOAD", "sha256": "…"}, "pages": "1-3"},
                },
            }
        },
    },
    "responses": {"200": _answer("The result", ok=True)},
}
