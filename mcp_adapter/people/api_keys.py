"""API keys: what they look like, and whose they are."""

import base64
import hashlib
import re
import secrets
import time
from collections.abc import Mapping
from pathlib import Path

from mcp_adapter.people.api_keys_file import ApiKey, read_api_keys
from mcp_adapter.people.bearer import invalid_token
from services.base.watched_file import WatchedFile

_BYTES = 32
_KEY = re.compile(r"pm_[A-Za-z0-9_-]{43}", re.ASCII)


def new_api_key() -> str:
    """A key of 256 random bits: "pm_", which scanners for leaked secrets look for, and 43 characters."""
    return f"pm_{base64.urlsafe_b64encode(secrets.token_bytes(_BYTES)).rstrip(b'=').decode()}"


def digest(key: str) -> bytes:
    """The SHA-256 of a key, the only thing that is kept of it.

    A slow hash with a salt protects passwords because they can be guessed. 256 random bits cannot, and the fast hash
    costs a call a microsecond.
    """
    return hashlib.sha256(key.encode()).digest()


class ApiKeys:
    """The callers in the file of API keys, which is read again when it changes."""

    def __init__(self, path: Path) -> None:
        """Reads the file.

        Raises:
            KeyFileError: when it cannot be used.
        """
        self._file: WatchedFile[Mapping[bytes, ApiKey]] = WatchedFile(path, read_api_keys)

    async def actor(self, credential: str) -> str:
        """Whose key this is.

        The timing of a lookup reveals at most how a digest begins, and nobody can choose a key by its digest.

        Raises:
            PapermeshError: UNAUTHENTICATED for a key that is unknown or has expired.
        """
        found = self._file.value.get(digest(credential)) if _KEY.fullmatch(credential) else None
        if found is None:
            raise invalid_token("This API key is not known here. Ask whoever runs this deployment for one.")
        if found.expires is not None and found.expires.timestamp() <= time.time():
            raise invalid_token("This API key has expired. Ask whoever runs this deployment for another.")
        return found.actor

    def check_ready(self) -> None:
        """Nothing to wait for."""

    async def watch(self) -> None:
        """Rereads the file when it changes, until cancelled."""
        await self._file.watch()
