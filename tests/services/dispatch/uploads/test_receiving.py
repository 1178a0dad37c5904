import hashlib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from services.base.errors import Code, PapermeshError
from services.dispatch.uploads import receiving

CONTENT = b"%PDF-1.7\nx"
SHA = hashlib.sha256(CONTENT).hexdigest()
LIMIT = 1000


@pytest.fixture
def spool_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "spool"
    folder.mkdir()
    return folder


def head(sha256: str = SHA, size: int = len(CONTENT)) -> pb.PutDocumentHeader:
    return pb.PutDocumentHeader(sha256=sha256, size=size)


def data(*pieces: bytes) -> list[pb.PutDocumentRequest]:
    return [pb.PutDocumentRequest(data=piece) for piece in pieces]


async def stream(messages: Iterable[pb.PutDocumentRequest]) -> AsyncIterator[pb.PutDocumentRequest]:
    for message in messages:
        yield message


class TestHeader:
    async def test_comes_first(self) -> None:
        messages = stream([pb.PutDocumentRequest(header=head()), *data(b"1")])
        assert await receiving.header(messages) == head()
        assert (await anext(messages)).data == b"1"

    @pytest.mark.parametrize("first", [[], data(b"1"), [pb.PutDocumentRequest()]])
    async def test_is_missed(self, first: list[pb.PutDocumentRequest]) -> None:
        with pytest.raises(PapermeshError, match="first message of an upload") as caught:
            await receiving.header(stream(first))
        assert caught.value.code is Code.BAD_ARG

    @pytest.mark.parametrize("size", [1, LIMIT])
    def test_may_announce_what_fits(self, size: int) -> None:
        receiving.check_header(head(size=size), LIMIT)

    @pytest.mark.parametrize("sha256", ["", "x", SHA.upper(), SHA[1:], SHA + "0", SHA + "\n", "../" + SHA[3:]])
    def test_names_a_digest(self, sha256: str) -> None:
        with pytest.raises(PapermeshError) as caught:
            receiving.check_header(head(sha256), LIMIT)
        assert [each.field for each in caught.value.violations] == ["header.sha256"]

    @pytest.mark.parametrize("size", [0, -1, -(2**63)])
    def test_announces_at_least_one_byte(self, size: int) -> None:
        with pytest.raises(PapermeshError) as caught:
            receiving.check_header(head(size=size), LIMIT)
        assert [each.field for each in caught.value.violations] == ["header.size"]

    @pytest.mark.parametrize("size", [LIMIT + 1, 2**63 - 1])
    def test_announces_no_more_than_the_limit(self, size: int) -> None:
        with pytest.raises(PapermeshError, match="1000 bytes") as caught:
            receiving.check_header(head(size=size), LIMIT)
        assert caught.value.code is Code.TOO_LARGE
        assert caught.value.details == {"limit_bytes": "1000"}


class TestContent:
    @pytest.mark.parametrize("pieces", [[CONTENT], [CONTENT[:1], CONTENT[1:]], [bytes([each]) for each in CONTENT]])
    async def test_is_a_file_once_it_matches(self, spool_dir: Path, pieces: list[bytes]) -> None:
        async with receiving.received(head(), stream(data(*pieces)), spool_dir) as file:
            assert file.read_bytes() == CONTENT
            assert file.parent == spool_dir
        assert not list(spool_dir.iterdir())

    async def test_may_come_in_pieces_of_512_kib(self, spool_dir: Path) -> None:
        piece = (CONTENT + bytes(512 * 1024))[: 512 * 1024]
        whole = head(hashlib.sha256(piece * 3).hexdigest(), len(piece) * 3)
        async with receiving.received(whole, stream(data(piece, piece, piece)), spool_dir) as file:
            assert file.stat().st_size == len(piece) * 3

    async def test_is_gone_whatever_becomes_of_it(self, spool_dir: Path) -> None:
        with pytest.raises(RuntimeError):
            async with receiving.received(head(), stream(data(CONTENT)), spool_dir):
                raise RuntimeError
        assert not list(spool_dir.iterdir())

    @pytest.mark.parametrize(
        ("messages", "says"),
        [
            (data(CONTENT[:-1] + b"y"), "do not have the SHA-256"),
            (data(CONTENT, b"1"), "more bytes arrived than the 10"),
            (data(CONTENT[:-1]), "9 bytes arrived of the 10"),
            ([], "0 bytes arrived of the 10"),
            (data(b"", CONTENT), "pieces of 1 to 524288 bytes"),
            (data(bytes(512 * 1024 + 1)), "pieces of 1 to 524288 bytes"),
            ([pb.PutDocumentRequest(header=head()), *data(CONTENT)], "after the header, send pieces"),
            ([*data(CONTENT), pb.PutDocumentRequest(header=head())], "after the header, send pieces"),
            ([*data(CONTENT), pb.PutDocumentRequest()], "after the header, send pieces"),
        ],
    )
    async def test_that_does_not_match_is_refused_and_leaves_nothing(
        self, spool_dir: Path, messages: list[pb.PutDocumentRequest], says: str
    ) -> None:
        with pytest.raises(PapermeshError, match=says) as caught:
            async with receiving.received(head(), stream(messages), spool_dir):
                pytest.fail("it was taken")
        assert caught.value.code is Code.BAD_ARG
        assert not list(spool_dir.iterdir())
