"""The key that seals the audit log of a deployment on one machine.

Made once and kept: without it nobody can verify what was written under it.
"""

import json
import os
import secrets
from pathlib import Path

FILE = "audit.json"

_SECRET_BYTES = 32
_OWNER_ONLY = 0o600


def ensure(folder: Path) -> Path:
    """Makes the key's file in `folder`, unless it is there.

    Returns:
        The file.
    """
    file = folder / FILE
    if file.exists():
        return file
    # Written beside the file and renamed: with its mode from the start, and never half of it.
    new = folder / f".{FILE}.new"
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "w", encoding="utf-8") as opened:
        json.dump({"key_id": "k1", "secret": secrets.token_urlsafe(_SECRET_BYTES)}, opened, indent=2)
        opened.write("\n")
    new.replace(file)
    return file
