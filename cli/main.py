"""The entry point: `papermesh`."""

import sys
from typing import Annotated

import typer

from cli import audit, calls, certs, clients, diff, documents, keys, machine, pictures, search, signing

app = typer.Typer(
    name="papermesh",
    help="Ask what a PDF says, through a mesh whose calls are signed, limited and logged.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # its panels would more than double the time to the first line of help
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(*, asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"papermesh {version('papermesh')}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=lambda value: _version(asked=value), is_eager=True, help="Show the version."
        ),
    ] = False,
) -> None:
    """Holds the options of `papermesh` itself."""
    del version  # its callback has answered


app.command()(calls.actions)
app.command()(calls.upload)
app.command()(documents.documents)
app.command()(calls.delete)
app.command()(calls.invoke)
app.command()(pictures.image)
app.command()(search.search)
app.command()(diff.diff)
app.command()(signing.sign)
app.add_typer(certs.app, name="certs")
app.add_typer(clients.app, name="clients")
app.add_typer(audit.app)
app.add_typer(keys.app)
app.command()(machine.up)
app.command()(machine.down)
app.command(context_settings=machine.PASS_THROUGH)(machine.envoy)


def main() -> None:
    """Runs the command line."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show Korean shows question marks; that is no reason to fail.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # both are text streams
    app()


if __name__ == "__main__":
    main()
