"""What a client and actor have uploaded, page by page, the newest first."""

import re
from dataclasses import dataclass
from importlib.resources import files

from services.base.errors import bad_field
from services.base.redis.link import RedisLink, Script
from services.dispatch.admission.state import RedisNeeded, owner
from services.dispatch.admission.verification import Caller
from services.dispatch.uploads.ownership import USED

_LIST = files(__package__).joinpath("list.lua").read_text()

PAGE_SIZE, MOST_ON_PAGE = 100, 1000
"""How many are listed unless the caller says otherwise, and at most."""

_TOKEN = re.compile(r"([0-9]{1,16})-([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Upload:
    """One of the owner's documents."""

    sha256: str
    charge: int
    """What it counts in the client's quota, in bytes."""

    uploaded_ms: int
    """When the owner first uploaded it, in milliseconds since 1970."""

    used_s: int
    """When anybody last used it, in seconds since 1970, to the hour."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some of an owner's uploads."""

    uploads: list[Upload]
    next_token: str
    """Asks for those after them; empty if there are none."""


class Listing:
    """Lists uploads."""

    def __init__(self, link: RedisLink) -> None:
        """Asks the Redis behind `link`, the state role."""
        self._list = Script(link, _LIST)

    async def page(self, caller: Caller, size: int, token: str) -> Page:
        """The caller's uploads that follow those before `token`.

        Args:
            caller: Whose they are.
            size: How many; 0 for the usual number.
            token: From the page before; empty for the first one.

        Raises:
            PapermeshError: BAD_ARG for another size or token; UNAVAILABLE when Redis is away.
        """
        if not 0 <= size <= MOST_ON_PAGE:
            raise bad_field("page_size", f"must be from 1 to {MOST_ON_PAGE}")
        after = _TOKEN.fullmatch(token)
        if token and after is None:
            raise bad_field("page_token", "must be the next_page_token of the page before")
        size = size or PAGE_SIZE
        last = after.groups() if after else ("", "")
        with RedisNeeded():
            found = await self._list.run([USED], [owner(caller), size + 1, *last])
        uploads = [Upload(sha.decode(), int(charge), int(at), int(used)) for sha, at, charge, used in found]
        more = len(uploads) > size
        del uploads[size:]
        return Page(uploads, f"{uploads[-1].uploaded_ms}-{uploads[-1].sha256}" if more else "")
