"""The request headers that say how to make a call, and how its body is encoded."""

from starlette.requests import Request

from services.base.errors import bad_field
from services.base.names import MAX_IDEMPOTENCY_KEY, is_idempotency_key

_UNCACHED = frozenset({b"no-cache", b"no-store"})


def read_call_options(request: Request) -> tuple[bool, str]:
    """Whether to compute the result again, and the key that makes a repeated call safe, empty for none.

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
        return no_cache, ""
    if len(keys) > 1 or not is_idempotency_key(keys[0]):
        raise bad_field("Idempotency-Key", f"send it once, with 1 to {MAX_IDEMPOTENCY_KEY} visible ASCII characters")
    return no_cache, keys[0]


def refuse_encoded(request: Request) -> None:
    """Refuses a body that is not sent as it is: nobody here would unpack it.

    Raises:
        PapermeshError: BAD_ARG for a Content-Encoding.
    """
    for name, value in request.scope["headers"]:
        if name == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
            raise bad_field("Content-Encoding", "send the body uncompressed")
