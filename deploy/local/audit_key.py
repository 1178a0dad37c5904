"""The key that seals the audit log of a deployment on one machine.

Made once and kept: without it nobody can verify what was written under it.
"""

import json
import secrets
from pathlib import Path

from services.base.replaced_file import replace_private

FILE = "audit.json"

_SECRET_BYTES = 32


def ensure(folder: Path) -> Path:
    """Makes the key's file in `folder`, unless it is there.

    Returns:
        The file.
    """
    file = folder / FILE
    if file.exists():
        return file
    key = {"key_id": "k1", "secret": secrets.token_urlsafe(_SECRET_BYTES)}
    replace_private(file, f"{json.dumps(key, indent=2)}\n".encode())
    return file
