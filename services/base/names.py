"""What callers may call things: an action, a document, a repeated call, a person. One rule each, for all who ask."""

import re
from typing import Final

MAX_ACTOR: Final = 256
"""Characters of an actor's name."""

MAX_IDEMPOTENCY_KEY: Final = 128
"""Characters of an idempotency key."""

MAX_ENGINE: Final = 256
"""Characters of the version of what makes a service's results; a service with a longer one does not start."""

_ACTION = re.compile(r"[A-Z][A-Z0-9_]{0,47}(?:@v[1-9][0-9]{0,2})?", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_IDEMPOTENCY_KEY = re.compile(rf"[!-~]{{1,{MAX_IDEMPOTENCY_KEY}}}", re.ASCII)

ACTION_PATTERN: Final = f"^{_ACTION.pattern}$"
IDEMPOTENCY_KEY_PATTERN: Final = f"^{_IDEMPOTENCY_KEY.pattern}$"
"""The rules for JSON Schema."""

ACTION_RULE: Final = 'a capital, then up to 47 capitals, digits and "_"; a later version ends in "@v2", up to "@v999"'
"""The rule in words, to go on with after "must be the name of an action, "."""

DNS_LABEL: Final = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
"""What a namespace, a workload and a replica may be called, for JSON Schema: Kubernetes takes no other names."""


def is_action(text: str) -> bool:
    """Whether an action may have this name, which says nothing of whether one has."""
    return _ACTION.fullmatch(text) is not None


def is_digest(text: str) -> bool:
    """Whether this is how a SHA-256 is written, by which a document is known."""
    return _DIGEST.fullmatch(text) is not None


def is_idempotency_key(text: str) -> bool:
    """Whether this can be an idempotency key: 1 to 128 visible ASCII characters."""
    return _IDEMPOTENCY_KEY.fullmatch(text) is not None


def is_actor(text: str) -> bool:
    """Whether a call may be made for somebody of this name: 1 to 256 printable characters.

    Half a surrogate pair, which cannot be signed, is not printable.
    """
    return 0 < len(text) <= MAX_ACTOR and text.isprintable()
