from pathlib import Path

import pytest

from mcp_adapter.settings import AdapterSettings
from services.base.settings import TLS_FILES, SettingsError


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory that is every folder the settings name."""
    for name in TLS_FILES:
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)


def read(**changed: object) -> AdapterSettings:
    here = Path()
    return AdapterSettings.read(**{"tls_dir": here, "audience": "test", "key_file": here, "spool_dir": here, **changed})


@pytest.mark.parametrize("audience", ["", "Prod", "a.b", "-a", "a" * 64])
def test_an_audience_that_could_blur_the_signed_text_is_refused(audience: str) -> None:
    with pytest.raises(SettingsError, match="PAPERMESH_AUDIENCE"):
        read(audience=audience)


def test_names_that_it_answers_to_are_a_list() -> None:
    assert read().http_hosts == ()
    assert read(http_hosts="Papermesh.example, other").http_hosts == ("papermesh.example", "other")


@pytest.mark.parametrize("hosts", ["https://a.example", "a.example:9000", "*", "a b", "-a", "a.example,*"])
def test_what_is_no_name_of_a_host_is_refused(hosts: str) -> None:
    with pytest.raises(SettingsError, match=r"PAPERMESH_HTTP_HOSTS is wrong: .*without scheme or port"):
        read(http_hosts=hosts)
