"""Turns Envoy's own refusals into the typed errors that a service would give."""

import base64
from http import HTTPStatus

from envoy.message import Message
from services.base import status
from services.base.errors import PapermeshError


def typed_answer(refused_with: HTTPStatus, error: PapermeshError) -> Message:
    """A mapper that turns Envoy's own answers with the HTTP status `refused_with` into `error`.

    A backend's answers pass unchanged.
    """
    its_status = {"default_value": refused_with.value, "runtime_key": f"answer_to_{refused_with.value}"}
    return {
        "filter": {"status_code_filter": {"comparison": {"op": "EQ", "value": its_status}}},
        "body": {"inline_string": error.message},
        "body_format_override": {"text_format_source": {"inline_string": "%LOCAL_REPLY_BODY%"}},
        "headers_to_add": [_header(key, value) for key, value in _status(error)],
    }


def replacing_headers(error: PapermeshError) -> list[Message]:
    """Header mutations that turn an answer into `error`, whatever its status was."""
    return [{"append": _header(key, value)} for key, value in (*_status(error), ("grpc-message", error.message))]


def _status(error: PapermeshError) -> tuple[tuple[str, str], ...]:
    code = status.status_code(error)
    details = base64.b64encode(status.encode(error, code)).decode().rstrip("=")  # as gRPC sends what ends in -bin
    return ("grpc-status", str(code.value[0])), (status.DETAILS_KEY, details)


def _header(key: str, value: str) -> Message:
    return {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
