"""The Authorization header."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_adapter.people.bearer import MAX_TOKEN_BYTES, challenge, credential
from services.base.errors import Code, PapermeshError


def sent(*values: bytes) -> list[tuple[bytes, bytes]]:
    return [(b"host", b"localhost"), *((b"authorization", value) for value in values)]


def refused(*values: bytes) -> PapermeshError:
    with pytest.raises(PapermeshError) as caught:
        credential(sent(*values))
    return caught.value


@pytest.mark.parametrize("scheme", [b"Bearer", b"bearer", b"BEARER", b"bEaReR"])
@pytest.mark.parametrize("token", [b"pm_" + b"a" * 43, b"a.b-c._~+/==", b"x", b"x" * MAX_TOKEN_BYTES])
def test_a_credential_is_read_however_its_scheme_is_spelt(scheme: bytes, token: bytes) -> None:
    assert credential(sent(scheme + b" " + token)) == token.decode()
    assert credential(sent(scheme + b"  " + token)) == token.decode()


@pytest.mark.parametrize("values", [(), (b"",), (b"Basic YTpi",), (b"Bearerx y",), (b"DPoP x",)])
def test_who_bears_nothing_is_only_asked_for_it(values: tuple[bytes, ...]) -> None:
    error = refused(*values)
    assert error.code is Code.UNAUTHENTICATED
    assert challenge(error) == 'Bearer realm="papermesh"'


@pytest.mark.parametrize(
    "values",
    [
        (b"Bearer x", b"Bearer x"),
        (b"Bearer x", b"Basic YTpi"),
        (b"Bearer",),
        (b"Bearer ",),
        (b"Bearer x y",),
        (b"Bearer x, Bearer y",),
        (b"Bearer =x",),
        (b'Bearer "x"',),
        (b"Bearer \xed\x95\x9c",),
    ],
)
def test_what_is_malformed_is_a_bad_request(values: tuple[bytes, ...]) -> None:
    error = refused(*values)
    assert error.code is Code.BAD_ARG
    assert (challenge(error) or "").startswith('Bearer realm="papermesh", error="invalid_request", error_description="')


def test_what_is_too_long_is_no_token() -> None:
    error = refused(b"Bearer " + b"x" * (MAX_TOKEN_BYTES + 1))
    assert error.code is Code.UNAUTHENTICATED
    assert 'error="invalid_token"' in (challenge(error) or "")


@pytest.mark.parametrize("code", [Code.UNAVAILABLE, Code.RATE_LIMIT, Code.INTERNAL])
def test_a_failure_of_ours_asks_for_nothing(code: Code) -> None:
    assert challenge(PapermeshError(code, "Away.")) is None


@given(st.lists(st.binary(max_size=80), max_size=3))
def test_whatever_is_sent_is_a_credential_or_a_typed_refusal_that_does_not_repeat_it(values: list[bytes]) -> None:
    answer: str | PapermeshError
    try:
        answer = credential(sent(*values))
    except PapermeshError as error:
        answer = error
    if isinstance(answer, str):
        assert answer.isascii()
    else:
        assert answer.code in {Code.UNAUTHENTICATED, Code.BAD_ARG}
        assert set(challenge(answer) or "") <= {chr(each) for each in range(0x20, 0x7F)}
