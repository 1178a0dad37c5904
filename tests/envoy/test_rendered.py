"""The rendered files: current, accepted by Envoy, and the command line that makes them."""

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from envoy.__main__ import EXAMPLES, RENDERED, app, stale_files
from envoy.binary import find
from envoy.render import render
from envoy.topology import load
from envoy.validate import validate, validate_topology
from services.base import actions
from services.base.errors import OperatorError


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_committed_example_is_current(name: str) -> None:
    assert stale_files(RENDERED / name, render(load(EXAMPLES[name]), actions.load())) == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_envoy_accepts_an_example_without_a_word(name: str) -> None:
    assert validate_topology(find(), load(EXAMPLES[name]), actions.load()) == ""


def test_there_is_an_example_for_a_laptop_and_one_for_kubernetes() -> None:
    assert EXAMPLES.keys() == {"laptop", "kubernetes"}


def test_envoy_refuses_what_is_no_configuration(tmp_path: Path) -> None:
    bootstrap = tmp_path / "envoy.yaml"
    bootstrap.write_text("static_resources: {listeners: [{nonsense: 1}]}")
    with pytest.raises(OperatorError, match="nonsense"):
        validate(find(), bootstrap)


def test_a_stale_a_missing_and_a_spare_file_are_all_named(tmp_path: Path) -> None:
    (tmp_path / "stale").write_text("old")
    (tmp_path / "spare").write_text("")
    (tmp_path / "same").write_text("same")
    assert stale_files(tmp_path, {"stale": "new", "missing": "", "same": "same"}) == ["missing", "spare", "stale"]


def test_render_writes_the_files_or_prints_the_bootstrap(tmp_path: Path) -> None:
    runner = CliRunner()
    written = runner.invoke(app, ["render", "--topology", str(EXAMPLES["laptop"]), "--out", str(tmp_path)])
    assert written.exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"envoy.yaml", "sds_certificate.yaml", "sds_trust.yaml"}
    printed = runner.invoke(app, ["render", "--topology", str(EXAMPLES["laptop"])])
    assert yaml.safe_load(printed.output)["static_resources"]
    assert printed.output == (tmp_path / "envoy.yaml").read_text(encoding="utf-8")


def test_a_wrong_topology_is_told_on_standard_error(tmp_path: Path) -> None:
    answer = CliRunner().invoke(app, ["render", "--topology", str(tmp_path / "absent.yaml")])
    assert answer.exit_code == 1
    assert "cannot be read" in answer.stderr
    assert answer.stdout == ""


def test_check_is_content_with_the_committed_examples() -> None:
    answer = CliRunner().invoke(app, ["check"])
    assert answer.exit_code == 0, answer.output
    assert answer.output.count("Envoy accepts it.") == len(EXAMPLES)
