"""The bearer token in a file: a service account's, which the kubelet replaces before it expires, or an API key."""

import re
from collections.abc import Generator
from pathlib import Path

import httpx

from services.base.errors import OperatorError

_TOKEN = re.compile(rb"[!-~]+")


class BearerError(OperatorError):
    """There is no token in the file; the text says so and never shows what is in it."""


class Bearer(httpx.Auth):
    """Shows the token with every request, as the file has it at that moment."""

    def __init__(self, file: Path) -> None:
        """Reads the file.

        Raises:
            BearerError: when there is no token in it.
        """
        self._file = file
        self._read()

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Called by httpx, for each request.

        Raises:
            BearerError: when there is no token in the file any more.
        """
        request.headers["Authorization"] = f"Bearer {self._read()}"
        yield request

    def _read(self) -> str:
        try:
            token = self._file.read_bytes().strip()
        except OSError as error:
            raise BearerError(f"{self._file} cannot be read: {error.strerror}.") from None
        # httpx would refuse anything else by showing it.
        if not _TOKEN.fullmatch(token):
            raise BearerError(f"{self._file} holds no token: it must be one line of printable characters.")
        return token.decode("ascii")
