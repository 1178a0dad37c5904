"""The key that seals the audit log of a deployment on one machine.

Made once and kept: without it, nobody can verify what was written under it.
"""

from pathlib import Path

from services.base import audit_chain
from services.base.private_file import replace_private

FILE = "audit.json"


def ensure(folder: Path) -> Path:
    """Makes the key's file in `folder`, unless it is there.

    Returns:
        The file.
    """
    file = folder / FILE
    if file.exists():
        return file
    replace_private(file, audit_chain.new_key_file())
    return file
