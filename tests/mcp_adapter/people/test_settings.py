"""Which settings say who may call, and from where."""

from pathlib import Path

import pytest

from mcp_adapter.people.settings import WITHOUT_AUTH, PeopleSettings, is_safe_url
from services.base.settings import TLS_FILES, SettingsError

OIDC = {"auth": "oidc", "oidc_issuer": "https://issuer.example/realm", "oidc_audience": "papermesh"}
KEYS = {"auth": "api-keys", "api_keys_file": "/keys.json"}
LOOPBACK = ["127.0.0.1", "127.0.0.2", "::1", "localhost"]
BEYOND = ["0.0.0.0", "::", "10.0.0.1", "2001:db8::1"]  # noqa: S104 - addresses that somebody might set


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory that is the folder of certificates."""
    for name in TLS_FILES:
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)


def read(**changed: object) -> PeopleSettings:
    return PeopleSettings.read(**{"tls_dir": Path(), **changed})


@pytest.mark.parametrize("host", LOOPBACK)
@pytest.mark.parametrize("auth", [{}, OIDC, KEYS])
def test_it_listens_on_loopback(host: str, auth: dict[str, object]) -> None:
    assert read(**auth, http_host=host).http_host == host


@pytest.mark.parametrize("host", BEYOND)
def test_without_authentication_it_listens_nowhere_else(host: str) -> None:
    with pytest.raises(SettingsError, match=rf"PAPERMESH_HTTP_HOST is wrong: .*loopback.*{WITHOUT_AUTH}"):
        read(http_host=host)


@pytest.mark.parametrize("host", BEYOND)
def test_without_authentication_it_does_when_told_so_in_so_many_words(host: str) -> None:
    assert read(http_host=host, http_without_auth=WITHOUT_AUTH).http_host == host


@pytest.mark.parametrize("words", ["yes", "true", "1", WITHOUT_AUTH.upper(), f"{WITHOUT_AUTH} "])
def test_fewer_words_are_a_mistake(words: str) -> None:
    with pytest.raises(SettingsError, match="PAPERMESH_HTTP_WITHOUT_AUTH is wrong"):
        read(http_host=BEYOND[0], http_without_auth=words)


@pytest.mark.parametrize("host", BEYOND)
@pytest.mark.parametrize("auth", [OIDC, KEYS])
def test_with_authentication_it_listens_anywhere(host: str, auth: dict[str, object]) -> None:
    assert read(**auth, http_host=host).http_host == host


@pytest.mark.parametrize("host", ["example.com", "localhost.example.com", "", "127.0.0.1:9000", "*"])
def test_an_address_is_no_name(host: str) -> None:
    with pytest.raises(SettingsError, match="PAPERMESH_HTTP_HOST is wrong"):
        read(**OIDC, http_host=host)


@pytest.mark.parametrize("auth", ["basic", "NONE", "oidc,api-keys"])
def test_there_are_three_ways_to_know_callers(auth: str) -> None:
    with pytest.raises(SettingsError, match="PAPERMESH_AUTH is wrong"):
        read(auth=auth)


@pytest.mark.parametrize(("auth", "missing"), [(KEYS, "api_keys_file"), (OIDC, "oidc_issuer"), (OIDC, "oidc_audience")])
def test_each_way_says_what_it_needs(auth: dict[str, object], missing: str) -> None:
    without = {name: value for name, value in auth.items() if name != missing}
    with pytest.raises(
        SettingsError, match=f"PAPERMESH_{missing.upper()} is wrong: PAPERMESH_AUTH={auth['auth']} needs"
    ):
        read(**without)


@pytest.mark.parametrize(
    "url", ["https://issuer.example", "https://i.example:8443/a/", "http://127.0.0.1:80", "http://[::1]/"]
)
def test_an_issuer_is_asked_where_nobody_can_answer_in_its_place(url: str) -> None:
    assert is_safe_url(url)
    assert read(**{**OIDC, "oidc_issuer": url, "oidc_jwks_url": url}).oidc_issuer == url


@pytest.mark.parametrize(
    "url",
    [
        "http://issuer.example",
        "http://localhost.example.com",
        "https://",
        "issuer.example",
        "ftp://issuer.example",
        "https://user:secret@issuer.example",
        "https://issuer.example?a=b",
        "https://issuer.example#a",
        "https://issuer.example:0",
        "https://issuer.example:x",
        "https://[::1",
    ],
)
def test_another_url_of_an_issuer_is_refused_and_not_shown(url: str) -> None:
    for name in ("oidc_issuer", "oidc_jwks_url"):
        with pytest.raises(SettingsError, match=f"PAPERMESH_{name.upper()} is wrong: must be an https URL") as caught:
            read(**{**OIDC, name: url})
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize("claim", ["", "a b", "é", "x" * 65])
def test_a_claim_has_a_name(claim: str) -> None:
    with pytest.raises(SettingsError, match="PAPERMESH_OIDC_ACTOR_CLAIM"):
        read(**OIDC, oidc_actor_claim=claim)


def test_origins_are_a_list() -> None:
    assert read().http_origins == ()
    given = "https://a.example, http://localhost:5173,https://[::1]:8443"
    assert read(http_origins=given).http_origins == ("https://a.example", "http://localhost:5173", "https://[::1]:8443")


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "a.example",
        "https://a.example/",
        "https://A.example",
        "https://a.example:443",
        "http://a.example:80",
        "https://*.example",
        "https://a.example:0",
        "ftp://a.example",
        "https://a b",
    ],
)
def test_what_no_browser_sends_as_an_origin_is_refused(origin: str) -> None:
    with pytest.raises(SettingsError, match=r"PAPERMESH_HTTP_ORIGINS is wrong: .*as browsers write it"):
        read(http_origins=origin)
