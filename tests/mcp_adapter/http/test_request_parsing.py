"""What becomes a request, what does not, and what of it the application gets."""

import json

import pytest

from mcp_adapter.http.request_parsing import Trailers
from tests.mcp_adapter.parsing.readers import Ours, Reading

NEXT = b"GET /next HTTP/1.1\r\nHost: localhost\r\n\r\n"
UPGRADES = [
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk",
    b"Connection: upgrade\r\nUpgrade: websocket",
    b"Connection: keep-alive\r\nUpgrade: x\r\nConnection: Upgrade",
    b"Proxy-Connection: upgrade\r\nUpgrade: x",
]


@pytest.fixture
async def ours() -> Ours:
    return Ours()


def request(*headers: bytes, line: bytes = b"POST / HTTP/1.1", body: bytes = b"") -> bytes:
    return b"\r\n".join([line, b"Host: localhost", *headers, b"", body])


def chunked(*trailers: bytes, line: bytes = b"POST / HTTP/1.1") -> bytes:
    body = b"\r\n".join([b"2", b"ab", b"0", *trailers, b"", b""])
    return request(b"Transfer-Encoding: chunked", line=line, body=body)


def bodies(reading: Reading) -> list[bytes]:
    return [each.body for each in reading.requests]


def targets(reading: Reading) -> list[bytes]:
    return [each.target for each in reading.requests]


def must_be_refused(reading: Reading, status: int = 400, *, says: str = "") -> None:
    """Fails unless nothing was handed on, and the answer is an error in the envelope, the connection's last."""
    assert not reading.requests
    assert reading.ended
    head, _, body = reading.answers.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), reading.answers
    assert b"\r\nconnection: close" in head
    assert says in json.loads(body)["error"]["message"]


class TestAnUpgrade:
    @pytest.mark.parametrize("upgrade", UPGRADES)
    async def test_is_ignored_and_the_body_kept_wherever_it_is_cut(self, ours: Ours, upgrade: bytes) -> None:
        for sent in (
            request(upgrade, b"Content-Length: %d" % len(NEXT), body=NEXT),
            request(
                upgrade, b"Transfer-Encoding: chunked", body=b"%x\r\n%b\r\n0\r\nHost: evil\r\n\r\n" % (len(NEXT), NEXT)
            ),
        ):
            for place in range(1, len(sent)):
                reading = await ours.read([sent[:place], sent[place:]])
                assert bodies(reading) == [NEXT], (place, reading)

    @pytest.mark.parametrize("upgrade", UPGRADES)
    async def test_without_a_body_is_answered_too(self, ours: Ours, upgrade: bytes) -> None:
        reading = await ours.read([request(upgrade, line=b"GET / HTTP/1.1")])
        assert (bodies(reading), reading.ended) == ([b""], True)

    @pytest.mark.parametrize("upgrade", UPGRADES)
    async def test_ends_the_connection_with_its_answer(self, ours: Ours, upgrade: bytes) -> None:
        sent = request(upgrade, b"Content-Length: 2", body=b"ab")
        for pieces in ([sent + NEXT], [sent, NEXT], [sent[:-1], sent[-1:] + NEXT]):
            reading = await ours.read(pieces)
            assert (bodies(reading), reading.ended) == ([b"ab"], True)
            assert b"\r\nconnection: close\r\n" in reading.answers

    async def test_behind_another_request_is_read_alike(self, ours: Ours) -> None:
        sent = NEXT + request(UPGRADES[0], b"Content-Length: 2", body=b"ab")
        reading = await ours.read([sent])
        assert (bodies(reading), reading.answers.count(b"200 OK"), reading.ended) == ([b"", b"ab"], 2, True)

    async def test_with_a_body_that_is_none_is_refused(self, ours: Ours) -> None:
        must_be_refused(await ours.read([request(UPGRADES[0], b"Transfer-Encoding: chunked", body=b"x\r\n")]))

    @pytest.mark.parametrize("target", [b"localhost:80", b"/", b"http://localhost/"])
    async def test_that_is_a_tunnel_is_refused(self, ours: Ours, target: bytes) -> None:
        must_be_refused(await ours.read([request(line=b"CONNECT %b HTTP/1.1" % target) + NEXT]))


class TestTrailers:
    async def test_never_become_headers(self, ours: Ours) -> None:
        sent = chunked(b"Host: evil", b"Authorization: Bearer evil", b"Idempotency-Key: evil") + NEXT
        for pieces in ([sent], [sent[place : place + 1] for place in range(len(sent))]):
            reading = await ours.read(pieces)
            assert targets(reading) == [b"/", b"/next"]
            assert [each.headers for each in reading.requests] == [
                ((b"host", b"localhost"), (b"transfer-encoding", b"chunked")),
                ((b"host", b"localhost"),),
            ]

    async def test_are_bounded_in_number(self, ours: Ours) -> None:
        reading = await ours.read([chunked(*[b"T: 1"] * Trailers.most)])
        assert bodies(reading) == [b"ab"]
        must_be_refused(await ours.read([chunked(*[b"T: 1"] * 8_000)]), 431, says="trailers")

    async def test_are_bounded_in_bytes(self, ours: Ours) -> None:
        must_be_refused(await ours.read([chunked(b"T: " + b"x" * Trailers.most_bytes)]), 431, says="trailers")

    @pytest.mark.parametrize("trailer", [b"Connection: close", b"Proxy-Connection: close", b"Connection: keep-alive"])
    async def test_that_would_end_the_reading_are_refused(self, ours: Ours, trailer: bytes) -> None:
        must_be_refused(await ours.read([chunked(trailer) + NEXT]), says="Connection")


class TestTheTarget:
    @pytest.mark.parametrize(
        ("target", "path"),
        [
            (b"http://localhost/a?b", b"/a?b"),
            (b"HTTPS://LocalHost/a", b"/a"),
            (b"http://localhost", b"/"),
            (b"http://localhost?a", b"/?a"),
            (b"//evil/a", b"//evil/a"),
        ],
    )
    async def test_may_be_a_url_of_the_host(self, ours: Ours, target: bytes, path: bytes) -> None:
        assert targets(await ours.read([request(line=b"GET %b HTTP/1.1" % target)])) == [path]

    @pytest.mark.parametrize(
        "target",
        [
            b"http://evil/",
            b"http://localhost:80/",
            b"http://localhost@evil/",
            b"http://evil@localhost/",
            b"http://evil",
        ],
    )
    async def test_of_another_host_is_refused(self, ours: Ours, target: bytes) -> None:
        must_be_refused(await ours.read([request(line=b"GET %b HTTP/1.1" % target)]), says="Host")

    async def test_of_a_host_is_refused_where_no_host_is_named(self, ours: Ours) -> None:
        must_be_refused(await ours.read([b"GET http://localhost/ HTTP/1.0\r\n\r\n"]), says="Host")

    @pytest.mark.parametrize("line", [b"OPTIONS * HTTP/1.1", b"GET * HTTP/1.1", b"GET ftp://localhost/ HTTP/1.1"])
    async def test_that_is_no_path_is_refused(self, ours: Ours, line: bytes) -> None:
        must_be_refused(await ours.read([request(line=line)]), says="path")

    async def test_has_no_fragment(self, ours: Ours) -> None:
        must_be_refused(await ours.read([request(line=b"GET /a#b HTTP/1.1")]), says="fragment")


class TestTheHead:
    @pytest.mark.parametrize("hosts", [b"", b"Host: localhost\r\nHost: localhost\r\n", b"Host: a\r\nhost: b\r\n"])
    async def test_of_http_1_1_names_one_host(self, ours: Ours, hosts: bytes) -> None:
        must_be_refused(await ours.read([b"GET /healthz HTTP/1.1\r\n%b\r\n" % hosts]), says="Host")

    async def test_of_http_1_0_need_not(self, ours: Ours) -> None:
        reading = await ours.read([b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + NEXT])
        assert (targets(reading), reading.ended) == ([b"/"], True)

    @pytest.mark.parametrize(
        "coding", [b"gzip, chunked", b"identity, chunked", b",chunked", b"identity", b"chunked;a=b"]
    )
    async def test_with_another_coding_than_chunked_is_refused(self, ours: Ours, coding: bytes) -> None:
        sent = request(b"Transfer-Encoding: " + coding, body=b"0\r\n\r\n")
        must_be_refused(await ours.read([sent]), says="Transfer-Encoding")

    async def test_of_http_1_0_has_no_coding(self, ours: Ours) -> None:
        must_be_refused(await ours.read([chunked(line=b"POST / HTTP/1.0")]), says="Transfer-Encoding")

    @pytest.mark.parametrize("version", [b"HTTP/2.0", b"HTTP/0.9", b""])
    async def test_of_another_version_is_refused(self, ours: Ours, version: bytes) -> None:
        must_be_refused(await ours.read([request(line=b" ".join([b"GET /", version]).strip())]), says="version")

    async def test_has_values_without_the_whitespace_around_them(self, ours: Ours) -> None:
        (read,) = (await ours.read([request(b"X: \t a b \t ")])).requests
        assert read.headers[-1] == (b"x", b"a b")

    @pytest.mark.parametrize(("version", "asked_on"), [(b"1.1", True), (b"1.0", False)])
    async def test_is_asked_on_for_its_body_where_that_is_known(
        self, ours: Ours, version: bytes, *, asked_on: bool
    ) -> None:
        head = request(b"Expect: 100-continue", b"Content-Length: 1", line=b"POST / HTTP/" + version)
        reading = await ours.read([head, b"x"])
        assert (bodies(reading), b"100 Continue" in reading.answers) == ([b"x"], asked_on)


class TestWhatStandsBeforeBytesThatAreRefused:
    @pytest.mark.parametrize(
        "refused",
        [b"rubbish\r\n\r\n", request(line=b"GET * HTTP/1.1"), chunked()[:-2] + b"X\0", request(*[b"A: 1"] * 200)],
        ids=["no request", "a bad head", "a bad body", "a large head"],
    )
    async def test_is_served_however_it_is_cut(self, ours: Ours, refused: bytes) -> None:
        sent = NEXT + NEXT + refused
        for place in range(1, len(sent)):
            reading = await ours.read([sent[:place], sent[place:], NEXT])
            assert (targets(reading), reading.ended) == ([b"/next", b"/next"], True), (place, reading)
            assert b"\r\nconnection: close\r\n" in reading.answers


class TestTheLog:
    async def test_has_one_line_for_a_thousand_bad_requests_and_nothing_of_them(
        self, ours: Ours, caplog: pytest.LogCaptureFixture
    ) -> None:
        for number in range(1_000):
            must_be_refused(await ours.read([b"BREW /secret-%d HTTP/1.1\r\n\r\n" % number]))
            await ours.read([request(UPGRADES[0])])
        assert [each.levelname for each in caplog.records] == ["WARNING"]
        assert "secret" not in caplog.text

    async def test_has_a_line_of_each_kind(self, ours: Ours, caplog: pytest.LogCaptureFixture) -> None:
        for _ in range(10):
            must_be_refused(await ours.read([b"rubbish\r\n\r\n"]))
            must_be_refused(await ours.read([request(line=b"GET * HTTP/1.1")]))
        assert len({each.getMessage() for each in caplog.records}) == len(caplog.records) == 2
