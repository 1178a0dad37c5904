"""Which tokens name a caller, and what the others are told."""

import base64
import hashlib
import hmac
import json
import time
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_adapter.people.issuer import Issuer
from mcp_adapter.people.key_set import ALGORITHMS
from mcp_adapter.people.tokens import Tokens
from services.base.errors import Code, PapermeshError
from tests.mcp_adapter.people.conftest import AUDIENCE, OTHER_RSA, RSA, StandIn, jwk, private_key


@pytest.fixture
def tokens(issuer: StandIn) -> Tokens:
    return Tokens(Issuer(issuer.url), AUDIENCE, "sub")


async def refusal(tokens: Tokens, token: str) -> PapermeshError:
    """The error that this token ends with; it must be an UNAUTHENTICATED that does not show the token."""
    with pytest.raises(PapermeshError) as caught:
        await tokens.actor(token)
    assert caught.value.code is Code.UNAUTHENTICATED
    assert caught.value.details == {"reason": "invalid_token"}
    assert '"' not in caught.value.message
    assert token not in caught.value.message
    return caught.value


def part(content: object) -> bytes:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=")


class TestTheAlgorithm:
    @pytest.mark.parametrize("algorithm", ALGORITHMS)
    async def test_may_be_any_with_a_private_key(self, issuer: StandIn, tokens: Tokens, algorithm: str) -> None:
        key = private_key(algorithm)
        issuer.publish(jwk(key, algorithm))
        assert await tokens.actor(issuer.token(key, algorithm)) == "ada"

    @pytest.mark.parametrize("form", ["pem", "der"])
    async def test_may_not_be_hs256_with_the_public_key_as_secret(
        self, issuer: StandIn, tokens: Tokens, form: str
    ) -> None:
        encoding = serialization.Encoding.PEM if form == "pem" else serialization.Encoding.DER
        public = RSA.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
        head = part({"alg": "HS256", "typ": "JWT", "kid": "k1"})
        body = issuer.token().split(".")[1].encode()
        mac = hmac.digest(public, head + b"." + body, hashlib.sha256)
        forged = b".".join([head, body, part(mac)]).decode()
        assert "not signed with one of" in (await refusal(tokens, forged)).message

    @pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", "HS512", "RS1", None, 5, ["RS256"]])
    async def test_may_not_be_another(self, issuer: StandIn, tokens: Tokens, algorithm: object) -> None:
        body = issuer.token().split(".")[1].encode()
        for signature in (b"", part(b"x")):
            forged = b".".join([part({"alg": algorithm, "kid": "k1"}), body, signature]).decode()
            await refusal(tokens, forged)

    async def test_must_be_the_one_that_the_key_says(self, issuer: StandIn, tokens: Tokens) -> None:
        issuer.publish(jwk(RSA, alg="RS256"))
        assert await tokens.actor(issuer.token(RSA, "RS256")) == "ada"
        assert "does not have the key" in (await refusal(tokens, issuer.token(RSA, "PS256"))).message

    async def test_must_fit_the_kind_of_key(self, issuer: StandIn, tokens: Tokens) -> None:
        await tokens.actor(issuer.token())
        head = part({"alg": "ES256", "kid": "k1"})
        forged = b".".join([head, issuer.token().split(".")[1].encode(), part(bytes(64))]).decode()
        assert "does not have the key" in (await refusal(tokens, forged)).message


class TestTheClaims:
    @pytest.mark.parametrize(
        ("changed", "says"),
        [
            ({"iss": "https://other.example"}, "another issuer"),
            ({"iss": None}, "lacks one of"),
            ({"aud": "other"}, "another audience"),
            ({"aud": ["other", "papermesh-2"]}, "another audience"),
            ({"aud": []}, "lacks one of"),
            ({"aud": None}, "lacks one of"),
            ({"exp": timedelta(seconds=-61)}, "expired"),
            ({"exp": None}, "lacks one of"),
            ({"exp": "soon"}, "cannot be trusted here"),
            ({"iat": timedelta(seconds=120)}, "not valid yet"),
            ({"iat": None}, "lacks one of"),
            ({"nbf": timedelta(seconds=120)}, "not valid yet"),
            ({"sub": None}, "no sub"),
            ({"sub": ""}, "no sub"),
            ({"sub": " ada"}, "no sub"),
            ({"sub": "a\nb"}, "no sub"),
            ({"sub": "a" * 257}, "no sub"),
            ({"sub": "\ud800"}, "no sub"),
        ],
    )
    async def test_that_are_wrong_are_refused(
        self, issuer: StandIn, tokens: Tokens, changed: dict[str, Any], says: str
    ) -> None:
        assert says in (await refusal(tokens, issuer.token(**changed))).message

    @pytest.mark.parametrize(
        "changed",
        [
            {"aud": ["other", AUDIENCE]},
            {"exp": timedelta(seconds=86_400 * 365)},
            {"iat": timedelta(seconds=10)},
            {"nbf": timedelta(seconds=10)},
            {"sub": "a" * 256},
            {"sub": "홍길동"},
        ],
    )
    async def test_that_are_right_name_the_caller(
        self, issuer: StandIn, tokens: Tokens, changed: dict[str, Any]
    ) -> None:
        assert await tokens.actor(issuer.token(**changed)) == changed.get("sub", "ada")

    async def test_may_be_a_minute_late(self, issuer: StandIn, tokens: Tokens) -> None:
        assert await tokens.actor(issuer.token(exp=timedelta(seconds=-30))) == "ada"

    async def test_another_claim_may_name_the_caller(self, issuer: StandIn) -> None:
        tokens = Tokens(Issuer(issuer.url), AUDIENCE, "preferred_username")
        assert await tokens.actor(issuer.token(preferred_username="lovelace")) == "lovelace"
        await refusal(tokens, issuer.token())

    async def test_an_email_names_only_when_it_was_verified(self, issuer: StandIn) -> None:
        tokens = Tokens(Issuer(issuer.url), AUDIENCE, "email")
        assert await tokens.actor(issuer.token(email="ada@a.example", email_verified=True)) == "ada@a.example"
        for verified in (False, None, "true", 1):
            error = await refusal(tokens, issuer.token(email="ada@a.example", email_verified=verified))
            assert "not verified" in error.message


class TestTheToken:
    @pytest.mark.parametrize("kind", ["JWT", "jwt", "at+jwt", "application/at+jwt", None])
    async def test_may_be_for_access(self, issuer: StandIn, tokens: Tokens, kind: str | None) -> None:
        assert await tokens.actor(issuer.token(header={"typ": kind})) == "ada"

    @pytest.mark.parametrize("kind", ["logout+jwt", "secevent+jwt", "dpop+jwt", "JWE"])
    async def test_may_not_be_for_something_else(self, issuer: StandIn, tokens: Tokens, kind: str) -> None:
        assert "typ" in (await refusal(tokens, issuer.token(header={"typ": kind}))).message

    async def test_of_another_key_is_refused(self, issuer: StandIn, tokens: Tokens) -> None:
        await refusal(tokens, issuer.token(OTHER_RSA))

    async def test_of_a_key_that_is_too_short_is_refused(self, issuer: StandIn, tokens: Tokens) -> None:
        short = rsa.generate_private_key(65537, 1024)  # noqa: S505 - that is what is tested
        issuer.publish(jwk(short))
        with pytest.warns(match="below"):
            token = issuer.token(short)
        await refusal(tokens, token)

    async def test_with_a_header_that_must_be_understood_is_refused(self, issuer: StandIn, tokens: Tokens) -> None:
        head = part({"alg": "RS256", "kid": "k1", "crit": ["exp2"], "exp2": 1})
        _, body, signature = issuer.token().split(".")
        await refusal(tokens, f"{head.decode()}.{body}.{signature}")

    @pytest.mark.parametrize("token", ["x", "a.b", "a.b.c", "...", "e30.e30.", "pm_" + "a" * 43, "a.b.c.d.e"])
    async def test_that_is_none_is_refused(self, tokens: Tokens, token: str) -> None:
        await refusal(tokens, token)

    async def test_changed_anywhere_is_refused(self, issuer: StandIn, tokens: Tokens) -> None:
        good = issuer.token()
        assert await tokens.actor(good) == "ada"
        for place in range(0, len(good), 7):
            other = "B" if good[place] != "B" else "C"
            await refusal(tokens, good[:place] + other + good[place + 1 :])

    async def test_that_was_good_is_not_checked_again(
        self, issuer: StandIn, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        token = issuer.token()
        assert await tokens.actor(token) == "ada"  # before it, there were no keys that it could be remembered by
        assert await tokens.actor(token) == "ada"
        monkeypatch.setattr("jwt.decode", None)
        assert await tokens.actor(token) == "ada"

    async def test_is_checked_again_when_it_has_run_out(
        self, issuer: StandIn, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        token = issuer.token()
        for _ in range(2):
            assert await tokens.actor(token) == "ada"
        later = time.time() + 361
        monkeypatch.setattr("mcp_adapter.people.tokens.time.time", lambda: later)
        monkeypatch.setattr("jwt.decode", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await tokens.actor(token)

    async def test_that_was_good_is_remembered_among_so_many(
        self, issuer: StandIn, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("mcp_adapter.people.tokens._MAX_REMEMBERED", 8)
        for number in range(20):
            assert await tokens.actor(issuer.token(sub=f"a{number}")) == f"a{number}"
        assert len(tokens._known) == 8


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ABab09-_.=", max_size=200) | st.binary(max_size=60).map(lambda raw: part(raw).decode()))
async def test_whatever_is_sent_is_refused_and_never_a_bug(text: str) -> None:
    nowhere = Tokens(Issuer("https://issuer.invalid", "http://127.0.0.1:1/"), AUDIENCE, "sub")
    with pytest.raises(PapermeshError) as caught:
        await nowhere.actor(text)
    assert caught.value.code in {Code.UNAUTHENTICATED, Code.UNAVAILABLE}
