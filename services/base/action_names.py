"""What an action may be called: one rule, for the protos that name it, the callers who ask for it, and the logs."""

import re
from typing import Final

_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,47}(?:@v[1-9][0-9]{0,2})?", re.ASCII)

PATTERN: Final = f"^{_NAME.pattern}$"
"""The rule for JSON Schema."""

RULE: Final = 'up to 48 capitals, digits and "_" from a capital on, and "@v2" to "@v999" for a later version'
"""The rule in words, to go on with after "must be …"."""


def is_action_name(text: str) -> bool:
    """Whether an action may have this name, which says nothing of whether one has."""
    return _NAME.fullmatch(text) is not None
