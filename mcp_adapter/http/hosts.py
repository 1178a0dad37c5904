"""Which names the adapter answers to.

A page of any website can have the browser that shows it connect to loopback, and can read what comes back once the
page's own name resolves to 127.0.0.1 (DNS rebinding). The browser then says that name in `Host`, and where the page
comes from in `Origin`; neither is ours.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_adapter.http.loopback import is_loopback
from services.base.errors import Code, PapermeshError

_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]+)(?::[0-9]*)?")

PROBES = frozenset({"/healthz", "/readyz"})
"""Probes may call the adapter by any name: they learn only whether it is well."""


class KnownHosts:
    """Refuses a request for a name that is not ours, or from a page of a site that is not let in."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str] = (), origins: Iterable[str] = ()) -> None:
        """Passes on to `app` requests for loopback or one of `hosts`, names without a port.

        Pages may come from these hosts and from `origins`, which are compared as they are.
        """
        self._app = app
        self._hosts = frozenset(hosts)
        self._origins = frozenset(origin.encode() for origin in origins)
        self._knows = lru_cache(maxsize=256)(self._is_known)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request.

        Raises:
            PapermeshError: FORBIDDEN for a stranger.
        """
        if scope["type"] == "http" and scope["path"] not in PROBES and (wrong := self._wrong_header(scope)):
            raise PapermeshError(
                Code.FORBIDDEN,
                f"{wrong} names a host that this adapter does not answer to. Use 127.0.0.1 or localhost, or list the"
                " name in PAPERMESH_HTTP_HOSTS. To let pages of other sites call, list them in PAPERMESH_HTTP_ORIGINS.",
                details={"header": wrong},
            )
        await self._app(scope, receive, send)

    def _wrong_header(self, scope: Scope) -> str:
        """The header that names a stranger, or "" if none does."""
        named = False
        for name, value in scope["headers"]:
            if name == b"host":
                named = True
                if not self._knows(value):
                    return "Host"
            elif name == b"origin" and value not in self._origins and not self._knows(value.partition(b"://")[2]):
                return "Origin"
        return "" if named else "Host"

    def _is_known(self, authority: bytes) -> bool:
        """Whether this host[:port] is loopback or listed."""
        parts = _AUTHORITY.fullmatch(authority.decode("latin-1").lower())
        if parts is None:
            return False
        host = parts[1]
        return host in self._hosts or is_loopback(host.strip("[]"))
