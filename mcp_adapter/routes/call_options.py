"""The request headers that say how to make a call: Cache-Control and Idempotency-Key."""

from dataclasses import dataclass

from starlette.requests import Request

from services.base.errors import bad_field
from services.base.names import MAX_IDEMPOTENCY_KEY, is_idempotency_key

_UNCACHED = frozenset({b"no-cache", b"no-store"})


@dataclass(frozen=True, slots=True)
class CallOptions:
    """How to make a call."""

    no_cache: bool = False
    """Whether to compute the result again."""

    idempotency_key: str = ""
    """Makes a repeated call safe: 1 to 128 visible ASCII characters; empty for none."""


def read_call_options(request: Request) -> CallOptions:
    """The options in a request's headers.

    Raises:
        PapermeshError: BAD_ARG for an Idempotency-Key that is malformed or sent twice.
    """
    no_cache = False
    keys = []
    for name, value in request.scope["headers"]:
        if name == b"cache-control":
            directives = {directive.strip().lower() for directive in value.split(b",")}
            no_cache = no_cache or not _UNCACHED.isdisjoint(directives)
        elif name == b"idempotency-key":
            keys.append(value.decode("latin-1"))
    if not keys:
        return CallOptions(no_cache)
    if len(keys) > 1 or not is_idempotency_key(keys[0]):
        raise bad_field("Idempotency-Key", f"send it once, with 1 to {MAX_IDEMPOTENCY_KEY} visible ASCII characters")
    return CallOptions(no_cache, keys[0])
