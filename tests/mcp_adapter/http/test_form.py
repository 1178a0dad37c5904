"""Forms in pieces of any size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_adapter.http.form import Form
from services.base.errors import PapermeshError

_NEARLY = st.sampled_from([b"\r\n", b"--", b"\r\n--", b"\r\n--b", b"-", b"b", b"\r", b"x" * 300])


@given(st.lists(_NEARLY | st.binary(max_size=50)).map(b"".join), st.lists(st.integers(1, 60), min_size=1))
def test_the_file_is_found_wherever_the_pieces_are_cut(content: bytes, cuts: list[int]) -> None:
    boundary = b"boundary"
    if b"\r\n--" + boundary in content:
        return
    body = (
        b'--boundary\r\nContent-Disposition: form-data; name="note"\r\n\r\nno file\r\n'
        b'--boundary\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n'
        + content
        + b"\r\n--boundary--\r\n"
    )
    found: list[bytes] = []
    form = Form("multipart/form-data; boundary=boundary", found.append)
    at, turn = 0, 0
    while at < len(body):
        size = cuts[turn % len(cuts)]
        form.feed(body[at : at + size])
        at, turn = at + size, turn + 1
    form.finish()
    assert b"".join(found) == content


@pytest.mark.parametrize("body", [b"--other\r\n", b"--boundary?\r\n", b"--boundary\r\nContent Disposition\r\n\r\n"])
def test_one_that_cannot_be_read_is_no_matter_for_the_log(body: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(PapermeshError):
        Form("multipart/form-data; boundary=boundary", lambda _: None).feed(body)
    assert not caplog.records
