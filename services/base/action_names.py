"""What an action may be called: one rule, for the protos that name it, the callers who ask for it, and the logs."""

import re
from typing import Final

_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,47}(?:@v[1-9][0-9]{0,2})?", re.ASCII)

PATTERN: Final = f"^{_NAME.pattern}$"
"""The rule for JSON Schema."""

RULE: Final = 'a capital and up to 47 more capitals, digits and "_"; a later version ends in "@v2", up to "@v999"'
"""The rule in words, to go on with after "must be the name of an action, "."""


def is_action_name(text: str) -> bool:
    """Whether an action may have this name, which says nothing of whether one has."""
    return _NAME.fullmatch(text) is not None
