"""`python -m envoy`: renders the configuration, and checks that the rendered examples are current."""

from pathlib import Path
from typing import Annotated

import typer

from envoy import drain
from envoy.binary import EnvoyNotFoundError, find
from envoy.render import BOOTSTRAP_FILE, render, write
from envoy.routes import RouteError
from envoy.topology import Topology, TopologyError, load
from envoy.validate import ConfigurationError, validate_topology
from services.base import actions

_HERE = Path(__file__).parent
EXAMPLES = {path.stem: path for path in sorted((_HERE / "topologies").glob("*.yaml"))}
"""The repository's own topologies, by name."""

RENDERED = _HERE / "rendered"
"""Their rendered files, committed so that a diff shows every change of the configuration."""

app = typer.Typer(
    name="python -m envoy",
    help="Papermesh's one Envoy configuration, rendered from the action table and a topology.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

_TopologyFile = Annotated[Path, typer.Option("--topology", help="YAML file; envoy/topology.py names its fields.")]
_Descriptors = Annotated[
    list[Path] | None,
    typer.Option("--descriptors", help="Descriptor set of an in-house service; may be given several times."),
]


@app.command("render")
def render_command(
    topology: _TopologyFile,
    out: Annotated[Path | None, typer.Option(help="Folder to write to; without it, the bootstrap is printed.")] = None,
    descriptors: _Descriptors = None,
) -> None:
    """Render the files that Envoy reads."""
    deployment, table = _read(topology), actions.load(*(descriptors or []))
    try:
        if out is None:
            typer.echo(render(deployment, table)[BOOTSTRAP_FILE], nl=False)
        else:
            typer.echo(f"Wrote {write(deployment, table, out)}.")
    except RouteError as error:
        raise _refusal(str(error)) from None


@app.command("validate")
def validate_command(topology: _TopologyFile, descriptors: _Descriptors = None) -> None:
    """Render a topology and check that Envoy accepts it."""
    _validate(topology.name, _read(topology), actions.load(*(descriptors or [])))


@app.command("examples")
def examples_command() -> None:
    """Render the repository's examples again, into envoy/rendered."""
    for name, path in EXAMPLES.items():
        typer.echo(f"Wrote {write(_read(path), actions.load(), RENDERED / name)}.")


@app.command("check")
def check_command() -> None:
    """Fail if a committed example is stale, or Envoy refuses it."""
    table = actions.load()
    for name, path in EXAMPLES.items():
        topology = _read(path)
        if stale := stale_files(RENDERED / name, render(topology, table)):
            raise _refusal(f"{', '.join(stale)} in {RENDERED / name} are stale: run `python -m envoy examples`.")
        _validate(name, topology, table)


@app.command("drain")
def drain_command(
    admin_socket: Annotated[Path, typer.Option(help="The topology's admin_socket.")],
    notice_s: Annotated[
        float, typer.Option(min=0, max=3600, help="Seconds of not being ready before connections are told to go.")
    ] = drain.NOTICE_S,
    timeout_s: Annotated[
        float, typer.Option(min=0, max=3600, help="Seconds that connections then have to go.")
    ] = drain.TIMEOUT_S,
) -> None:
    """Take a running Envoy out of service; return once its process can end without losing a call."""
    try:
        drain.run(admin_socket, notice_s=notice_s, timeout_s=timeout_s)
    except drain.DrainError as error:
        raise _refusal(str(error)) from None


def stale_files(directory: Path, expected: dict[str, str]) -> list[str]:
    """Names of the files in `directory` that are missing, unexpected, or different."""
    found = {path.name: path.read_text(encoding="utf-8") for path in directory.glob("*")}
    return sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name))


def _read(path: Path) -> Topology:
    try:
        return load(path)
    except TopologyError as error:
        raise _refusal(str(error)) from None


def _validate(name: str, topology: Topology, table: actions.ActionTable) -> None:
    try:
        said = validate_topology(find(), topology, table)
    except (EnvoyNotFoundError, ConfigurationError, RouteError) as error:
        raise _refusal(str(error)) from None
    typer.echo(said or f"{name}: Envoy accepts it.")


def _refusal(text: str) -> typer.Exit:
    typer.echo(text, err=True)
    return typer.Exit(1)


if __name__ == "__main__":
    app()
