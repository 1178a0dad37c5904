"""The Authorization header, and how a caller is rejected (RFC 6750)."""

import re
from collections.abc import Iterable

from services.base.errors import Code, PapermeshError

MAX_TOKEN_BYTES = 8 * 1024
"""Bytes of the largest credential that is read."""

_CREDENTIALS = re.compile(rb"bearer +([A-Za-z0-9._~+/-]+=*)", re.ASCII | re.IGNORECASE)
_BEARER = re.compile(rb"bearer(?: |$)", re.ASCII | re.IGNORECASE)
_ASK = "Send your API key or token as Authorization: Bearer <key or token>. The command line reads PAPERMESH_TOKEN."


def credential(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The API key or token in a request, from its headers as ASGI has them.

    Raises:
        PapermeshError: UNAUTHENTICATED when there is none, or it is too long; BAD_ARG for a header that is sent twice
            or malformed.
    """
    sent = [value for name, value in headers if name == b"authorization"]
    if len(sent) > 1:
        raise _malformed("Authorization was sent more than once. Send it exactly once.")
    if not sent or not _BEARER.match(sent[0]):
        raise PapermeshError(Code.UNAUTHENTICATED, _ASK)  # another scheme counts as none
    found = _CREDENTIALS.fullmatch(sent[0])
    if found is None:
        raise _malformed("Authorization must be Bearer, one space, and an API key or token.")
    if len(found[1]) > MAX_TOKEN_BYTES:
        raise invalid_token(f"A token may have at most {MAX_TOKEN_BYTES} bytes.")
    return found[1].decode()


def invalid_token(message: str) -> PapermeshError:
    """UNAUTHENTICATED: what was sent identifies nobody. The text has no quotation mark, and never the token."""
    return PapermeshError(Code.UNAUTHENTICATED, message, details={"reason": "invalid_token"})


def challenge(error: PapermeshError) -> str | None:
    """The WWW-Authenticate header that goes with an error; None when other credentials would not help.

    A caller who sent none is only asked for some: RFC 6750 has no error code for that.
    """
    reason = error.details.get("reason")
    if reason is not None:
        return f'Bearer realm="papermesh", error="{reason}", error_description="{error.message}"'
    return 'Bearer realm="papermesh"' if error.code is Code.UNAUTHENTICATED else None


def _malformed(message: str) -> PapermeshError:
    return PapermeshError(Code.BAD_ARG, message, details={"reason": "invalid_request"})
