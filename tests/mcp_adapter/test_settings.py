from pathlib import Path

import pytest

from mcp_adapter.settings import AdapterSettings
from services.base.settings import SettingsError


def read(**changed: object) -> AdapterSettings:
    here = Path()
    return AdapterSettings.read(**{"tls_dir": here, "audience": "test", "key_file": here, "spool_dir": here, **changed})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_it_listens_on_loopback(host: str) -> None:
    assert read(http_host=host).http_host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.com", "localhost.example.com"])  # noqa: S104
def test_it_listens_nowhere_else(host: str) -> None:
    with pytest.raises(SettingsError, match=r"PAPERMESH_HTTP_HOST is wrong: .*loopback"):
        read(http_host=host)


@pytest.mark.parametrize("audience", ["", "Prod", "a.b", "-a", "a" * 64])
def test_an_audience_that_could_blur_the_signed_text_is_refused(audience: str) -> None:
    with pytest.raises(SettingsError, match="PAPERMESH_AUDIENCE"):
        read(audience=audience)
