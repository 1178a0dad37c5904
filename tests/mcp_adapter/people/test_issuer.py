"""How the issuer's keys are fetched, kept and given up."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed448
from jwt.algorithms import get_default_algorithms

from mcp_adapter.people import fetching
from mcp_adapter.people import issuer as issuer_module
from mcp_adapter.people.issuer import KEEP_S, RETRY_S, Issuer
from mcp_adapter.people.tokens import Tokens
from services.base.errors import Code, PapermeshError
from tests.mcp_adapter.conftest import until
from tests.mcp_adapter.people.conftest import AUDIENCE, OTHER_RSA, RSA, Clock, StandIn, jwk, private_key


@pytest.fixture
def keys(issuer: StandIn, clock: Clock) -> Issuer:
    return Issuer(issuer.url, clock=clock)


@pytest.fixture
def tokens(keys: Issuer) -> Tokens:
    return Tokens(keys, AUDIENCE, "sub")


async def code(tokens: Tokens, token: str) -> Code | None:
    try:
        await tokens.actor(token)
    except PapermeshError as error:
        return error.code
    return None


class TestRotation:
    async def test_a_new_key_is_fetched_when_a_token_names_it(
        self, issuer: StandIn, tokens: Tokens, clock: Clock
    ) -> None:
        assert await code(tokens, issuer.token()) is None
        issuer.publish(jwk(RSA), jwk(OTHER_RSA, kid="k2"))
        clock.now += RETRY_S
        assert await code(tokens, issuer.token(OTHER_RSA, header={"kid": "k2"})) is None
        assert await code(tokens, issuer.token()) is None
        assert issuer.fetches() == 2

    async def test_a_key_that_is_withdrawn_takes_its_tokens_along(
        self, issuer: StandIn, keys: Issuer, tokens: Tokens
    ) -> None:
        token = issuer.token()
        for _ in range(2):
            assert await code(tokens, token) is None
        issuer.publish(jwk(OTHER_RSA, kid="k2"))
        await keys.fetch()
        assert await code(tokens, token) is Code.UNAUTHENTICATED

    async def test_a_flood_of_unknown_keys_is_one_fetch_in_half_a_minute(
        self, issuer: StandIn, tokens: Tokens, clock: Clock
    ) -> None:
        forged = [issuer.token(OTHER_RSA, header={"kid": f"made-up-{number}"}) for number in range(50)]
        assert await code(tokens, issuer.token()) is None
        for _ in range(4):
            clock.now += RETRY_S
            codes = await asyncio.gather(*(code(tokens, each) for each in forged))
            assert set(codes) == {Code.UNAUTHENTICATED}
        assert issuer.fetches() == 5
        assert await code(tokens, issuer.token()) is None

    async def test_callers_that_come_first_wait_for_one_fetch(self, issuer: StandIn, tokens: Tokens) -> None:
        codes = await asyncio.gather(*(code(tokens, issuer.token(sub=f"a{number}")) for number in range(50)))
        assert set(codes) == {None}
        assert issuer.fetches() == 1

    async def test_a_caller_that_hangs_up_does_not_end_the_fetch_for_others(
        self, issuer: StandIn, tokens: Tokens
    ) -> None:
        first = asyncio.create_task(tokens.actor(issuer.token()))
        second = asyncio.create_task(code(tokens, issuer.token(sub="b")))
        await asyncio.sleep(0)
        first.cancel()
        assert await second is None
        with pytest.raises(asyncio.CancelledError):
            await first

    async def test_watching_fetches_at_once(self, issuer: StandIn, keys: Issuer) -> None:
        watching = asyncio.create_task(keys.watch())

        async def fetched() -> bool:
            return keys.keys is not None

        await until(fetched)
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        assert issuer.asked == ["/.well-known/openid-configuration", "/keys"]
        keys.check_ready()


class TestAnOutage:
    async def test_from_the_start_is_unavailable(self, issuer: StandIn, tokens: Tokens, clock: Clock) -> None:
        issuer.answer("/keys", b"", 500)
        token = issuer.token()
        for _ in range(3):
            with pytest.raises(PapermeshError) as caught:
                await tokens.actor(token)
            assert caught.value.code is Code.UNAVAILABLE
            assert caught.value.retry_after_ms == RETRY_S * 1000
        assert issuer.fetches() == 1
        issuer.publish(jwk(RSA))
        clock.now += RETRY_S
        assert await code(tokens, token) is None

    async def test_later_changes_nothing_for_half_a_day(
        self, issuer: StandIn, keys: Issuer, tokens: Tokens, clock: Clock
    ) -> None:
        assert await code(tokens, issuer.token()) is None
        issuer.answers.clear()
        clock.now += KEEP_S - 1
        await keys.fetch()
        assert await code(tokens, issuer.token()) is None
        assert await code(tokens, issuer.token(header={"kid": "k2"})) is Code.UNAUTHENTICATED
        clock.now += 1
        assert await code(tokens, issuer.token()) is Code.UNAVAILABLE
        with pytest.raises(PapermeshError):
            keys.check_ready()

    async def test_is_looked_at_again_soon(
        self, issuer: StandIn, keys: Issuer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(issuer_module, "RETRY_S", 0.01)
        monkeypatch.setattr(issuer_module, "REFRESH_S", 3600)
        issuer.answer("/keys", b"", 500)
        watching = asyncio.create_task(keys.watch())

        async def failed() -> bool:
            return issuer.fetches() > 0

        async def fetched() -> bool:
            return keys.keys is not None

        await until(failed)
        issuer.publish(jwk(RSA))
        await until(fetched)
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching

    async def test_of_an_issuer_that_says_nothing_ends_in_time(
        self, silent: str, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(fetching, "TIMEOUT_S", 0.05)
        keys = Issuer(silent, clock=clock)
        await keys.fetch()
        assert keys.keys is None
        assert "0.05 seconds" in caplog.text


@pytest.fixture
def silent() -> Iterator[str]:
    """An issuer that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


class TestWhatIsFetched:
    @pytest.mark.parametrize(
        ("changed", "says"),
        [
            ({"issuer": "https://other.example"}, "another issuer"),
            ({"issuer": None}, "another issuer"),
            ({"jwks_uri": None}, "no https jwks_uri"),
            ({"jwks_uri": 5}, "no https jwks_uri"),
            ({"jwks_uri": "http://issuer.example/keys"}, "no https jwks_uri"),
            ({"jwks_uri": "file:///etc/passwd"}, "no https jwks_uri"),
            ({"jwks_uri": "https://user:pass@issuer.example/keys"}, "no https jwks_uri"),
        ],
    )
    async def test_a_discovery_document_that_is_wrong_is_not_followed(
        self, issuer: StandIn, keys: Issuer, caplog: pytest.LogCaptureFixture, changed: dict[str, object], says: str
    ) -> None:
        issuer.answer("/.well-known/openid-configuration", {**issuer.discovery, **changed})
        await keys.fetch()
        assert (keys.keys, issuer.fetches()) == (None, 0)
        assert says in caplog.text

    async def test_an_issuer_by_https_has_no_keys_by_plain_http(
        self, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        name, asked = "https://issuer.example", []

        async def fetch(url: str) -> dict[str, Any]:
            asked.append(url)
            return {"issuer": name, "jwks_uri": "http://127.0.0.1:9/keys"}

        monkeypatch.setattr(issuer_module, "fetch_json", fetch)
        await Issuer(name, clock=clock).fetch()
        assert asked == [f"{name}/.well-known/openid-configuration"]
        assert "its jwks_uri is plain http" in caplog.text

    async def test_an_issuer_whose_name_ends_in_a_slash_is_found(self, issuer: StandIn, clock: Clock) -> None:
        name = f"{issuer.url}/"
        issuer.answer("/.well-known/openid-configuration", {**issuer.discovery, "issuer": name})
        keys = Issuer(name, clock=clock)
        assert await code(Tokens(keys, AUDIENCE, "sub"), issuer.token(iss=name)) is None

    async def test_a_url_of_the_keys_needs_no_discovery(self, issuer: StandIn, clock: Clock) -> None:
        keys = Issuer(issuer.url, f"{issuer.url}/keys", clock=clock)
        assert await code(Tokens(keys, AUDIENCE, "sub"), issuer.token()) is None
        assert issuer.asked == ["/keys"]

    @pytest.mark.parametrize(
        ("body", "status", "says"),
        [
            (b"{", 200, "not answer with JSON"),
            (b"[]", 200, "JSON object"),
            (b'{"keys": []}', 200, "no usable signing key"),
            (b'{"keys": 5}', 200, "no usable signing key"),
            (b'{"keys": [5, null, {}, {"kty": "RSA"}, {"kty": "RSA", "n": 5, "e": 5}]}', 200, "no usable signing key"),
            (b'{"keys": [{"kty": "oct", "k": "AAAA", "kid": "k1"}]}', 200, "no usable signing key"),
            (b" " * (fetching.MAX_BYTES + 1), 200, "more than"),
            (b"{}", 404, "404"),
            (b"{}", 302, "302"),
        ],
    )
    async def test_keys_that_cannot_be_used_leave_the_old_ones(  # noqa: PLR0917 - fixtures and parameters
        self,
        issuer: StandIn,
        keys: Issuer,
        tokens: Tokens,
        caplog: pytest.LogCaptureFixture,
        body: bytes,
        status: int,
        says: str,
    ) -> None:
        await keys.fetch()
        issuer.answer("/keys", body, status, Location=f"{issuer.url}/elsewhere")
        await keys.fetch()
        assert says in caplog.text
        assert "/elsewhere" not in issuer.asked
        assert await code(tokens, issuer.token()) is None

    async def test_keys_for_something_else_are_passed_over(self, issuer: StandIn, keys: Issuer) -> None:
        private = {"d": "AQAB"}
        issuer.publish(
            jwk(RSA, use="enc"),
            jwk(RSA, key_ops=["encrypt"]),
            jwk(RSA, **private),
            jwk(RSA, alg="HS256"),
            jwk(OTHER_RSA, kid="k2", use=None, key_ops=["verify"]),
        )
        assert await keys.find("k1", "RS256") is None
        assert await keys.find("k2", "RS256") is not None

    @pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
    async def test_a_private_key_that_was_published_is_nobodys(
        self, issuer: StandIn, keys: Issuer, algorithm: str
    ) -> None:
        private = get_default_algorithms()[algorithm].to_jwk(private_key(algorithm), as_dict=True)
        issuer.publish({**private, "kid": "k1", "key_ops": ["sign", "verify"]}, jwk(OTHER_RSA, kid="k2"))
        assert await keys.find("k1", algorithm) is None
        assert await keys.find("k2", "RS256") is not None

    async def test_a_key_checks_what_its_curve_is_for_and_nothing_else(self, issuer: StandIn, keys: Issuer) -> None:
        issuer.publish(
            jwk(private_key("ES384"), "ES384", kid="p384"),
            jwk(ed448.Ed448PrivateKey.generate(), "EdDSA", kid="ed448"),
            jwk(private_key("EdDSA"), "EdDSA", kid="ed25519"),
        )
        assert await keys.find("p384", "ES384") is not None
        assert await keys.find("ed25519", "EdDSA") is not None
        for key_id, algorithm in (("p384", "ES256"), ("p384", "ES512"), ("ed448", "EdDSA"), ("ed25519", "ES256")):
            assert await keys.find(key_id, algorithm) is None

    async def test_of_two_keys_with_one_id_the_first_is_taken(self, issuer: StandIn, tokens: Tokens) -> None:
        issuer.publish(jwk(RSA), jwk(OTHER_RSA))
        assert await code(tokens, issuer.token(RSA)) is None
        assert await code(tokens, issuer.token(OTHER_RSA)) is Code.UNAUTHENTICATED

    async def test_of_more_than_a_hundred_keys_the_first_are_taken(self, issuer: StandIn, keys: Issuer) -> None:
        issuer.publish(*(jwk(RSA, kid=f"k{number}", alg="RS256") for number in range(101)))
        assert await keys.find("k99", "RS256") is not None
        assert await keys.find("k100", "RS256") is None

    async def test_a_token_that_names_no_key_takes_the_only_one_that_fits(self, issuer: StandIn, keys: Issuer) -> None:
        assert await keys.find(None, "RS256") is not None
        assert await keys.find(None, "ES256") is None
        issuer.publish(jwk(RSA), jwk(OTHER_RSA, kid="k2"))
        await keys.fetch()
        assert await keys.find(None, "RS256") is None
