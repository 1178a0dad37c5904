"""An entry gives back what was packed under its name, or nothing."""

import zlib

from hypothesis import given
from hypothesis import strategies as st

from services.pdf.readings import entry
from services.pdf.readings.entry import MAX_BYTES, MAX_PACKED_BYTES, pack, unpack


@given(st.text(max_size=50), st.binary(max_size=2000))
def test_what_was_packed_is_unpacked(name: str, content: bytes) -> None:
    assert unpack(name, pack(name, content)) == content


@given(st.binary(max_size=300), st.data())
def test_whatever_is_changed_is_nothing(content: bytes, data: st.DataObject) -> None:
    whole = pack("name", content)
    at = data.draw(st.integers(0, len(whole) - 1))
    changes = (
        whole[:at],
        whole[at + 1 :],
        whole[:at] + bytes([whole[at] ^ 1 << data.draw(st.integers(0, 7))]) + whole[at + 1 :],
        whole + b"\0",
        bytes(len(whole)),
    )
    assert [unpack("name", each) for each in changes] == [None] * len(changes)


def test_what_was_packed_under_another_name_is_nothing() -> None:
    assert unpack("uploads/1", pack("uploads/11", b"text")) is None


def test_what_grows_beyond_the_limit_is_nothing() -> None:
    body = zlib.compress(bytes(MAX_BYTES + 1))
    assert unpack("name", entry._digest("name", body) + body) is None
    assert unpack("name", pack("name", bytes(MAX_BYTES))) == bytes(MAX_BYTES)


def test_what_is_no_stream_is_nothing_even_with_its_digest() -> None:
    for body in (b"", b"no stream", zlib.compress(b"cut")[:-1]):
        assert unpack("name", entry._digest("name", body) + body) is None


def test_what_cannot_be_compressed_fits_too() -> None:
    noise = zlib.compress(b"seed" * 1000)
    while len(noise) < MAX_BYTES:
        noise += zlib.compress(noise)  # already compressed
    assert len(pack("name", noise[:MAX_BYTES])) <= MAX_PACKED_BYTES
