"""`python -m envoy`: renders the configuration, and checks that the rendered examples are current."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from envoy import drain
from envoy.binary import find
from envoy.render import BOOTSTRAP_FILE, render, write
from envoy.topology import Topology, load
from envoy.validate import validate_topology
from services.base import actions
from services.base.errors import OperatorError

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
    with _told():
        deployment, table = load(topology), actions.load(*(descriptors or []))
        if out is None:
            typer.echo(render(deployment, table)[BOOTSTRAP_FILE], nl=False)
        else:
            typer.echo(f"Wrote {write(deployment, table, out)}.")


@app.command("validate")
def validate_command(topology: _TopologyFile, descriptors: _Descriptors = None) -> None:
    """Render a topology and check that Envoy accepts it."""
    with _told():
        _validate(topology.name, load(topology), actions.load(*(descriptors or [])))


@app.command("examples")
def examples_command() -> None:
    """Render the repository's examples again, into envoy/rendered."""
    for name, path in EXAMPLES.items():
        typer.echo(f"Wrote {write(load(path), actions.load(), RENDERED / name)}.")


@app.command("check")
def check_command() -> None:
    """Fail if a committed example is stale, or Envoy refuses it."""
    table = actions.load()
    for name, path in EXAMPLES.items():
        topology = load(path)
        with _told():
            if stale := stale_files(RENDERED / name, render(topology, table)):
                message = f"{', '.join(stale)} in {RENDERED / name} are stale: run `python -m envoy examples`."
                raise OperatorError(message)
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
    with _told():
        drain.run(admin_socket, notice_s=notice_s, timeout_s=timeout_s)


def stale_files(directory: Path, expected: dict[str, str]) -> list[str]:
    """Names of the files in `directory` that are missing, unexpected, or different."""
    found = {path.name: path.read_text(encoding="utf-8") for path in directory.glob("*")}
    return sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name))


def _validate(name: str, topology: Topology, table: actions.ActionTable) -> None:
    said = validate_topology(find(), topology, table)
    typer.echo(said or f"{name}: Envoy accepts it.")


@contextmanager
def _told() -> Iterator[None]:
    """What an operator can mend is told in a sentence, and the command ends with status 1."""
    try:
        yield
    except OperatorError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    app()
