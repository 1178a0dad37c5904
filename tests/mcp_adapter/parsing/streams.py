"""Streams of requests, good and bad: what people, proxies and attackers send, and what lies between."""

from dataclasses import dataclass
from random import Random

HOST = b"localhost"
END = b"\r\n"

_SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
_BODIES = (
    b"",
    b"x",
    b"{}",
    b"\r\n",
    b"0\r\n\r\n",
    b"a\r\nb: c\r\n\r\n",
    _SMUGGLED,
    b"5\r\nhello\r\n0\r\n\r\n",
    b"\0\xff",
)
_METHODS = (b"GET", b"POST", b"POST", b"PUT", b"DELETE", b"HEAD", b"OPTIONS")
_TARGETS = (b"/", b"/a", b"/mcp/invoke", b"/a?b=c", b"/%41%00", b"/a?b?c", b"//b/x", b"/;a=b", b"http://localhost/a?b")
_HEADERS = (
    b"X: 1",
    b"X:1",
    b"X:  a b ",
    b"X:",
    b"X: \t\xe9",
    b"Authorization: Bearer k",
    b"Idempotency-Key: k",
    b"Expect: 100-continue",
    b"Connection: keep-alive",
    b"TE: trailers",
    b"Trailer: Host",
    b"Upgrade: h2c",
)
_ENDINGS = (b"Connection: close", b"connection: Keep-Alive, CLOSE")
_UPGRADES = (
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk",
    b"Connection: upgrade\r\nUpgrade: x",
)
_TRAILERS = (
    b"T: 1",
    b"Host: evil",
    b"Authorization: Bearer evil",
    b"Idempotency-Key: evil",
    b"Expect: 100-continue",
    b"Upgrade: x",
)

_ODD_METHODS = (b"CONNECT", b"get", b"BREW", b"PRI", b"SOURCE", b"G T", b"", b"M-SEARCH", b"GET\t")
_ODD_TARGETS = (
    b"*",
    b"http://evil/a",
    b"http://localhost",
    b"http://localhost?a",
    b"HTTP://LOCALHOST/",
    b"http://localhost:80/",
    b"http://a@localhost/",
    b"http:///a",
    b"foo://localhost/",
    b"localhost:80",
    b"a",
    b"/a#b",
    b"/a b",
    b"/\x01",
    b"/\xe9",
    b'/"<>\\^`{|}',
    b"/a\t",
    b"",
    b" /",
    b"?a",
)
_ODD_VERSIONS = (
    b"HTTP/1.0",
    b"HTTP/2.0",
    b"HTTP/0.9",
    b"HTTP/1.2",
    b"HTTP/1.10",
    b"http/1.1",
    b"RTSP/1.0",
    b"ICE/1.0",
    b"HTTP/1.1 ",
    b" HTTP/1.1",
    b"",
)
_ODD_HEADERS = (
    b"X : 1",
    b" X: 1",
    b"X: a\r\n b",
    b"X: a\r\n\tContent-Length: 7",
    b"X: a\0b",
    b"X: a\rb",
    b"X: a\nHost: evil",
    b"X: a\r\nb",
    b"X: \x01",
    b"X:\x0b1",
    b"X",
    b": 1",
    b"X\xe9: 1",
    b"Host: evil",
    b"Host: localhost",
    b"Proxy-Connection: close",
    b"Proxy-Connection: upgrade\r\nUpgrade: x",
    b"Connection: xclose",
    b"Connection: close, upgrade\r\nUpgrade: h2c",
    b"Connection:\r\nUpgrade: h2c",
    b"Content-Length: 0",
    b"Transfer-Encoding: chunked",
    b"Content_Length: 5",
    b"Expect: other",
)
_ODD_LENGTHS = (
    b"+%d",
    b"0x%d",
    b"%d, %d",
    b"%d\t",
    b"00%d",
    b"%d ",
    b"-%d",
    b"%d;",
    b"1844674407370955161%d",
    b"%d\r\nContent-Length: %d",
    b"%d\r\nContent-Length: 1%d",
    b"",
    b"%d %d",
    b"%da",
    b"%d\r\n %d",
    b"\x0b%d",
)
_ODD_CODINGS = (
    b"Chunked",
    b"chunked\t ",
    b"gzip, chunked",
    b"chunked, gzip",
    b"identity",
    b"identity, chunked",
    b"chunked, chunked",
    b"chunked\r\nTransfer-Encoding: chunked",
    b"chunked\r\nTransfer-Encoding: x",
    b"x\r\nTransfer-Encoding: chunked",
    b",chunked",
    b"chunked,",
    b"xchunked",
    b"chunkedx",
    b'"chunked"',
    b"chunked;q=1",
    b"\x0bchunked",
    b"",
    b"chunked\r\nContent-Length: 5",
    b"\r\n chunked",
)
_ODD_SIZES = (
    b"0x%x",
    b"+%x",
    b"%x ",
    b" %x",
    b"%x\t;a",
    b'%x;a="b',
    b"%x;a\nb",
    b"%x;\x01",
    b"%x\r",
    b"%xg",
    b"",
    b"1000000000000000%x",
    b"-%x",
    b"%x;a\r",
    b"%x\0",
    b"%x;a=b\rc",
)
_ODD_TRAILERS = (
    b"Connection: close",
    b"Connection: upgrade\r\nUpgrade: x",
    b"Proxy-Connection: close",
    b"Content-Length: 5",
    b"Transfer-Encoding: chunked",
    b"T : 1",
    b"T: a\r\n b",
    b"T: a\nb: c",
    b"T",
    b"T: \0",
)
_ODD_ENDS = (b"\n", b"\r", b"\r\r\n", b"\n\r", b"\r\n\r\n", b"\n\n", b"")
_SPECIAL = b"\r\n\r\n \t:;,\0\x0b\x7f\x80\xff0159afAF#/*Hh"


ODDITIES = ("method", "target", "version", "host", "header", "length", "coding", "chunk", "trailer", "end", "junk")
"""What may be odd about a request."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Bytes of one connection."""

    data: bytes
    plain: int
    """How many requests at its beginning must be served; 0 when nothing must."""


class Streams:
    """As many as one likes; the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - so that a failure can be seen again

    def next(self) -> Stream:
        """A plain stream, an odd one, or an odd one that has lost, got or changed some bytes."""
        kind = self._random.choice(("plain", "odd", "changed"))
        if kind == "plain":
            return self.plain()
        odd = self.odd(self._random.choice(ODDITIES))
        return Stream(self._changed(odd) if kind == "changed" else odd, 0)

    def plain(self) -> Stream:
        """Requests with which nothing is wrong; the last one may end the connection."""
        count = self._random.randint(1, 3)
        last = self._random.choice((*_ENDINGS, *_UPGRADES, b"X: last", b"X: last"))
        return Stream(b"".join([*(self._request() for _ in range(count - 1)), self._request(last)]), count)

    def odd(self, oddity: str) -> bytes:
        """A request with one thing odd, among others, which show where it was taken to end."""
        before = [self._request()] * self._random.randint(0, 1)
        return b"".join([*before, self._request(oddity=oddity), self._request()])

    def _request(self, *more: bytes, oddity: str = "") -> bytes:
        pick = self._random.choice
        method = pick(_ODD_METHODS if oddity == "method" else _METHODS)
        target = pick(_ODD_TARGETS if oddity == "target" else _TARGETS)
        version = pick(_ODD_VERSIONS) if oddity == "version" else b"HTTP/1.1"
        headers = [b"Host: " + HOST, *self._random.sample(_HEADERS, self._random.randint(0, 3)), *more]
        if oddity == "host":
            headers[0] = pick((b"X: no host", b"Host:", b"Host: evil", b"host : localhost"))
        if oddity == "header":
            headers.append(pick(_ODD_HEADERS))
        framing, body = self._body(oddity)
        headers += framing
        self._random.shuffle(headers)
        ends = [END] * (len(headers) + 2)
        if oddity == "end":
            ends[self._random.randrange(len(ends))] = pick(_ODD_ENDS)
        lines = [b" ".join((method, target, version)), *headers, b""]
        return b"".join([*(line + end for line, end in zip(lines, ends, strict=True)), body])

    def _body(self, oddity: str) -> tuple[list[bytes], bytes]:
        """The headers that say how long a body is, and the body."""
        pick = self._random.choice
        body = pick(_BODIES)
        if oddity == "length":
            length = pick(_ODD_LENGTHS)
            return [b"Content-Length: " + length.replace(b"%d", b"%d" % len(body))], body
        if oddity in ("coding", "chunk", "trailer"):
            coding = pick(_ODD_CODINGS) if oddity == "coding" else b"chunked"
            return [b"Transfer-Encoding: " + coding], self._chunks(body, oddity)
        if oddity == "junk":
            return [], pick((b"\r\n", b"\n", b"\r", b"0\r\n\r\n", b"x", b"\0"))
        kind = pick(("none", "length", "chunked"))
        if kind == "none":
            return [], b""
        if kind == "length":
            return [b"Content-Length: %d" % len(body)], body
        return [b"Transfer-Encoding: chunked"], self._chunks(body, "")

    def _chunks(self, body: bytes, oddity: str) -> bytes:
        pick = self._random.choice
        cut = self._random.randint(0, len(body))
        pieces = [piece for piece in (body[:cut], body[cut:]) if piece]
        sizes = [pick((b"%x", b"%X", b"0%x", b"%x;a", b'%x;a="b c"')) for _ in pieces] + [pick((b"%x", b"00%x"))]
        ends = [END] * len(pieces)
        if oddity == "chunk":
            if pieces and pick((True, False)):
                ends[0] = pick(_ODD_ENDS)
            else:
                sizes[self._random.randrange(len(sizes))] = pick(_ODD_SIZES)
        chunks = [
            size.replace(b"%x", b"%x" % len(piece)).replace(b"%X", b"%X" % len(piece)) + END + piece + end
            for size, piece, end in zip(sizes, [*pieces, b""], [*ends, b""], strict=True)
        ]
        trailers = self._random.sample(_TRAILERS, self._random.randint(0, 2))
        if oddity == "trailer":
            trailers.append(pick(_ODD_TRAILERS))
        return b"".join([*chunks, *(trailer + END for trailer in trailers), END])

    def _changed(self, data: bytes) -> bytes:
        """The bytes with one to three of them changed, taken out or put in, or without an end."""
        changed = bytearray(data)
        for _ in range(self._random.randint(1, 3)):
            place = self._random.randrange(max(1, len(changed) - 1))
            byte = bytes((self._random.choice(_SPECIAL),))
            match self._random.choice(("change", "take", "put", "cut")):
                case "change":
                    changed[place : place + 1] = byte
                case "take":
                    del changed[place : place + 1]
                case "put":
                    changed[place:place] = byte
                case _:
                    del changed[place + 2 :]
        return bytes(changed) or END
