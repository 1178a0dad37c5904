"""Whose share a connection, or a request from a proxy, counts against."""

import ipaddress
import re
from collections.abc import Iterable
from contextlib import nullcontext
from functools import lru_cache
from typing import TypeAlias

from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_adapter.http.concurrency import REQUESTS, Places

LOOPBACK = ("127.0.0.0/8", "::1/128")
"""One address for everybody on this machine, and for a tunnel's or a proxy's callers, so it cannot have one share."""

_WITH_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::[0-9]+)?", re.ASCII)

_UNREADABLE = "?"
"""Everything that proxies pass on without an address counts as one peer's."""

_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


class Peers:
    """Tells peers apart by their address or, in IPv6, by the network of 2^64 addresses that anybody gets."""

    def __init__(self, proxies: Iterable[str] = (), unbound: Iterable[str] = LOOPBACK) -> None:
        """Trusts `proxies`, addresses and networks, to say for whom they speak; `unbound` ones stand for many."""
        self._proxies = tuple(ipaddress.ip_network(each) for each in proxies)
        self._many = (*self._proxies, *(ipaddress.ip_network(each) for each in unbound))
        self.of = lru_cache(maxsize=1024)(self._of)
        self.is_proxy = lru_cache(maxsize=1024)(self._is_proxy)

    def _of(self, address: str) -> str:
        """The peer of an address, "10.1.2.3"; empty for one that stands for many."""
        known = _read(address)
        if known is None:
            return _UNREADABLE
        return "" if any(known in network for network in self._many) else _name(known)

    def _is_proxy(self, address: str) -> bool:
        """Whether requests from this address say for whom they are."""
        known = _read(address)
        return known is not None and any(known in network for network in self._proxies)

    def forwarded(self, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """The peer for which a proxy passed a request on; empty if it does not say, or means many.

        Each proxy appends to `X-Forwarded-For` where it got the request. So the last entry that is not a proxy is
        trusted; anybody may have written those before it. Somebody on a proxy's own machine stands for many.
        """
        said = b",".join(value for name, value in headers if name == b"x-forwarded-for").decode("latin-1")
        for each in filter(None, map(str.strip, reversed(said.split(",")))):
            if not self.is_proxy(each):
                return self.of(each)
        return ""


class ForwardedShare:
    """Limits the requests under way that proxies pass on for one peer; connections show only the proxies."""

    def __init__(self, app: ASGIApp, peers: Peers) -> None:
        self._app = app
        self._peers = peers
        self._places = Places(REQUESTS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request.

        Raises:
            PapermeshError: RATE_LIMIT or UNAVAILABLE when there is no place for it.
        """
        peer = ""
        if scope["type"] == "http" and scope["client"] and self._peers.is_proxy(scope["client"][0]):
            peer = self._peers.forwarded(scope["headers"])
        with self._places.take(peer) if peer else nullcontext():
            await self._app(scope, receive, send)


def _read(text: str) -> _Address | None:
    """The address in a text, with or without a port; None if there is none."""
    found = _WITH_PORT.fullmatch(text)
    try:
        address = ipaddress.ip_address((found[1] or found[2]) if found else text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address


def _name(address: _Address) -> str:
    return address.packed[:8].hex() if address.version == 6 else str(address)  # noqa: PLR2004 - the version's own name
