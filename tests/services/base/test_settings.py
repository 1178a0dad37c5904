from pathlib import Path

import pytest
from pydantic import Field

from services.base.settings import TLS_FILES, CommaList, Port, Settings, SettingsError, WorkloadSettings


class Example(WorkloadSettings):
    """What a service would declare."""

    example_port: Port = Field(description="Port to listen on.")
    example_names: CommaList = Field((), description="Names, separated by commas.")
    example_token: str = Field("none", pattern="^[a-z]+$", description="The token.")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in TLS_FILES:
        (tmp_path / name).touch()
    monkeypatch.setenv("PAPERMESH_TLS_DIR", str(tmp_path))
    monkeypatch.setenv("PAPERMESH_EXAMPLE_PORT", "9200")


def test_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PAPERMESH_LOG_LEVEL", "DEBUG")
    settings = Example.read()
    assert (settings.example_port, settings.tls_dir, settings.log_level) == (9200, tmp_path, "DEBUG")
    assert settings.namespace == "default"


def test_an_override_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAPERMESH_NAMESPACE", "prod")
    assert Example.read(namespace="test").namespace == "test"


def test_an_empty_variable_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAPERMESH_NAMESPACE", "")
    assert Example.read().namespace == "default"


@pytest.mark.parametrize(
    ("text", "names"), [("a", ("a",)), ("a,b", ("a", "b")), (" a , ,b,", ("a", "b")), ("[1]", ("[1]",)), (",", ())]
)
def test_a_list_is_split_at_commas(monkeypatch: pytest.MonkeyPatch, text: str, names: tuple[str, ...]) -> None:
    monkeypatch.setenv("PAPERMESH_EXAMPLE_NAMES", text)
    assert Example.read().example_names == names


def test_a_missing_variable_is_named_with_what_it_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PAPERMESH_EXAMPLE_PORT")
    with pytest.raises(SettingsError) as caught:
        Example.read()
    assert str(caught.value) == "PAPERMESH_EXAMPLE_PORT is not set. Port to listen on."


@pytest.mark.parametrize("port", ["0", "65536", "http", "80.5"])
def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv("PAPERMESH_EXAMPLE_PORT", port)
    with pytest.raises(SettingsError, match=r"^PAPERMESH_EXAMPLE_PORT is wrong: .+\. Port to listen on\.$"):
        Example.read()


def test_every_wrong_variable_has_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PAPERMESH_TLS_DIR")
    monkeypatch.setenv("PAPERMESH_EXAMPLE_PORT", "0")
    monkeypatch.setenv("PAPERMESH_LOG_LEVEL", "LOUD")
    monkeypatch.setenv("PAPERMESH_NAMESPACE", "Not A Name")
    with pytest.raises(SettingsError) as caught:
        Example.read()
    starts = sorted(line.split()[0] for line in str(caught.value).splitlines())
    assert starts == [
        "PAPERMESH_EXAMPLE_PORT",
        "PAPERMESH_LOG_LEVEL",
        "PAPERMESH_NAMESPACE",
        "PAPERMESH_TLS_DIR",
    ]


@pytest.mark.parametrize("name", ["TOKEN", "PORT"])
def test_a_value_is_never_shown(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"PAPERMESH_EXAMPLE_{name}", "S3cret-value")
    with pytest.raises(SettingsError) as caught:
        Example.read()
    assert "S3cret" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("settings", [WorkloadSettings, Settings, Example])
def test_every_setting_is_described(settings: type[Settings]) -> None:
    assert all(field.description for field in settings.model_fields.values())
