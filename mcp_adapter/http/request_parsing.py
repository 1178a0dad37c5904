"""HTTP requests out of bytes: uvicorn's protocol over llhttp, held to how others read the same bytes.

If a proxy in front of us reads a request, or its end, differently from us, one person's bytes become part of another's
request (docs/decisions/0015-one-reading-of-a-request.md).
"""

import re
from types import SimpleNamespace
from typing import Any, NoReturn

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.base.errors import PapermeshError, bad_arg, bad_field, too_large

_ABSOLUTE_FORM = re.compile(rb"https?://([^/?#]+)(.*)", re.IGNORECASE)
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})
_CONNECTION = frozenset({b"connection", b"proxy-connection"})
_BODY_CALLBACKS = ("on_header", "on_chunk_header", "on_body", "on_message_complete")


class _EnoughError(Exception):
    """Ends the parsing from within."""


class RequestParsing(HttpToolsProtocol):
    """Passes on each request as everybody reads it, with its whole body, or refuses it.

    An `Upgrade` is ignored, as RFC 9110 section 7.8 allows: the request is answered as if it had not asked, and the
    connection ends with it. Trailers are dropped.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._has_enough = False

    def refuse_bytes(self, error: PapermeshError) -> None:
        """Answers bytes that are not a request, or not one to pass on, and ends the connection."""
        raise NotImplementedError

    def read_no_more(self) -> NoReturn:
        """Ends the parsing from a callback of the parser: nothing after this is read."""
        self._has_enough = True
        raise _EnoughError

    @property
    def body_is_to_come(self) -> bool:
        """Whether llhttp calls a message complete whose body it has left out, because of an upgrade."""
        return self.parser.should_upgrade()

    def data_received(self, data: bytes) -> None:
        """Parses a piece."""
        self._unset_keepalive_if_required()
        try:
            body = self._feed(data)
            if body is not None:
                self._read_on(body)
        except httptools.HttpParserError as error:
            if not self._has_enough:
                self._has_enough = True
                self.refuse_bytes(_fault_of(error))

    def _feed(self, data: bytes) -> bytes | None:
        """Parses a piece; returns its bytes that belong to the body of a request that asked for an upgrade."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            return data[upgrade.args[0] :]
        return None

    def _read_on(self, body: bytes) -> None:
        """Has another parser read the body of an upgrade; to the first one, the message ended with its head.

        The other one gets a head that says how long the body is, in the words of the request, and nothing else.
        """
        framing = [b"%b: %b\r\n" % header for header in self.headers if header[0] in _FRAMING]
        self.headers = []  # the request keeps its own
        self.parser = httptools.HttpRequestParser(
            SimpleNamespace(**{name: getattr(self, name) for name in _BODY_CALLBACKS})
        )
        self.parser.feed_data(b"".join((b"POST / HTTP/1.1\r\n", *framing, b"\r\n", body)))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Takes a header or a trailer; llhttp leaves the whitespace at the end of a value."""
        self.headers.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """Starts on the request.

        Raises:
            PapermeshError: BAD_ARG for a head that breaks a rule.
        """
        upgrade = self.parser.should_upgrade()
        if upgrade and self.parser.get_method() == b"CONNECT":
            raise bad_arg("CONNECT is for proxies, and this is not one. GET /docs shows how to call the adapter.")
        self._check_head()
        super().on_headers_complete()
        if upgrade:
            self.cycle.keep_alive = False

    def _check_head(self) -> None:
        """Looks for what llhttp accepts but others read differently."""
        version = self.parser.get_http_version()
        if version not in ("1.1", "1.0"):
            raise bad_arg("The HTTP version must be 1.0 or 1.1.")
        host = self._check_headers(version)
        if not self.url.startswith(b"/"):
            self.url = _origin_form(self.url, host)
        if b"#" in self.url:
            raise bad_arg("A request's target has no fragment. Leave out the # and what follows it.")

    def _check_headers(self, version: str) -> bytes:
        """The value of `Host`; "" if HTTP/1.0 gives none."""
        host, hosts = b"", 0
        for name, value in self.headers:
            if name == b"host":
                host = value
                hosts += 1
            elif name == b"transfer-encoding":
                if value.lower() != b"chunked" or version != "1.1":
                    raise bad_field("Transfer-Encoding", "send chunked, over HTTP/1.1, or a Content-Length instead")
            elif name == b"expect":
                self.expect_100_continue = value.lower() == b"100-continue" and version == "1.1"
        if hosts > 1 or (hosts == 0 and version == "1.1"):
            raise bad_field("Host", "send it exactly once")
        return host

    def on_chunk_header(self) -> None:
        """Takes what follows for trailers, which come too late to say anything about the request."""
        self.headers = Trailers()

    def on_message_complete(self) -> None:
        """Ends the request, and the reading too if the connection ends with its answer."""
        super().on_message_complete()
        if not self.cycle.keep_alive:
            self.read_no_more()

    def _should_upgrade(self) -> bool:
        """Never: otherwise uvicorn would look for a WebSocket library to take the connection."""
        return False


class Trailers(list[tuple[bytes, bytes]]):
    """Counts trailers, but keeps none."""

    most = 100
    """Trailers of one request."""

    most_bytes = 16 * 1024
    """Their bytes in all."""

    def __init__(self) -> None:
        super().__init__()
        self._seen = 0
        self._bytes = 0

    def append(self, header: tuple[bytes, bytes]) -> None:
        """Drops one.

        Raises:
            PapermeshError: TOO_LARGE when there are too many; BAD_ARG for `Connection`: llhttp heeds it even here, and
                would read nothing more from a connection that everybody else thinks is kept.
        """
        name, value = header
        self._seen += 1
        self._bytes += len(name) + len(value) + 4
        if self._seen > self.most or self._bytes > self.most_bytes:
            message = f"A request may have at most {self.most} trailers, {self.most_bytes} bytes in all. Send fewer."
            raise too_large(message, limit_bytes=self.most_bytes, limit_headers=self.most)
        if name in _CONNECTION:
            raise bad_field("Connection", "send it before the body")


def _origin_form(target: bytes, host: bytes) -> bytes:
    """The path and query of a target that is a URL.

    Raises:
        PapermeshError: BAD_ARG for a URL of another host, and for anything but a URL.
    """
    url = _ABSOLUTE_FORM.fullmatch(target)
    if url is None:
        raise bad_arg("A request's target must be a path, such as /mcp/invoke. This is not a proxy.")
    if url[1].lower() != host.lower():
        raise bad_field("Host", "the request's target is a URL of another host; name the same host in both")
    return url[2] if url[2].startswith(b"/") else b"/" + url[2]


def _fault_of(error: httptools.HttpParserError) -> PapermeshError:
    """The error for the sender. The parser wraps what a callback raised in an error of its own."""
    fault = error.__context__
    if isinstance(fault, PapermeshError):
        return fault
    if fault is None or isinstance(fault, httptools.HttpParserError):
        return bad_arg("This is not an HTTP request. GET /docs shows how to call the adapter.")
    raise fault
