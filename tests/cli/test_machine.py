"""What needs no adapter: help, version, and the commands about this machine."""

import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import Result

Run = Callable[..., Result]
CALLS = ("actions", "upload", "invoke", "sign", "delete", "documents", "image", "search", "diff")
COMMANDS = (*CALLS, "certs", "keys", "clients", "audit", "up", "down", "envoy")


def test_help_names_every_command(papermesh: Run) -> None:
    result = papermesh("--help")
    assert result.exit_code == 0
    assert all(f"\n  {command} " in result.stdout for command in COMMANDS)
    assert "..." not in result.stdout.partition("Commands:")[2], "a summary that is cut off"


@pytest.mark.parametrize("command", [*CALLS, "up", "down"])
def test_every_command_explains_itself(papermesh: Run, command: str) -> None:
    result = papermesh(command, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: papermesh {command} ")


def test_the_version_is_that_of_the_project(papermesh: Run) -> None:
    assert papermesh("--version").stdout == f"papermesh {version('papermesh')}\n"


def test_a_command_that_does_not_exist_is_a_mistake_of_usage(papermesh: Run) -> None:
    assert papermesh("uplaod").exit_code == 2


def test_help_loads_neither_grpc_nor_http_nor_rich() -> None:
    code = (
        "import sys; from cli.main import main; sys.argv = ['papermesh', '--help']\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'grpc', 'httpx', 'rich', 'asyncio', 'google.protobuf'} & sys.modules.keys()))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert result.stdout.splitlines()[-1] == "[]"


def test_down_stops_what_runs_from_the_folder_that_is_named(papermesh: Run, tmp_path: Path) -> None:
    result = papermesh("down", PAPERMESH_VAR=str(tmp_path))
    assert (result.exit_code, result.stdout) == (0, "Nothing is running.\n")


def test_envoy_renders_what_a_reviewer_reads(papermesh: Run) -> None:
    root = Path(__file__).parents[2]
    topology = root / "envoy" / "topologies" / "kubernetes.yaml"
    result = papermesh("envoy", "render", "--topology", str(topology))
    assert result.exit_code == 0
    assert result.stdout == (root / "envoy" / "rendered" / "kubernetes" / "envoy.yaml").read_text(encoding="utf-8")


def test_help_about_envoy_is_that_of_its_own_commands(papermesh: Run) -> None:
    result = papermesh("envoy", "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: papermesh envoy ")
