"""The commands that work on this machine: up, down, certs."""

import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from mcp_adapter.cli.failures import UsageError, reported
from mcp_adapter.cli.places import state_folder
from mcp_adapter.cli.terminal import harmless, note, out, table_of

PASS_THROUGH = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
"""Settings of a command whose options belong to the program that it becomes."""


def up(context: typer.Context) -> None:
    """Run Papermesh on this machine until Ctrl-C."""
    _become("up", context.args)


def down(context: typer.Context) -> None:
    """Stop what `papermesh up` started."""
    _become("down", context.args)


def certs(
    *,
    directory: Annotated[
        Path | None, typer.Option("--dir", help="Where the certificates are. Default: var/certs.", show_default=False)
    ] = None,
    namespace: Annotated[str, typer.Option(help="The namespace in every SPIFFE id.")] = "default",
    client: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A caller of the company's own to make one for; may be repeated."),
    ] = None,
) -> None:
    """Make the mesh's certificates, or renew them.

    Those that are good stay as they are. `papermesh up` does this by itself.
    """
    with reported():
        from services.base import certificates

        folder = directory if directory is not None else state_folder() / "certs"
        try:
            outcomes = certificates.ensure(folder, namespace, clients=client or ())
        except certificates.CertificateError as error:
            raise UsageError(str(error)) from None
        table = table_of()
        for column in ("certificate", "identity", "valid until", "done"):
            table.add_column(column, overflow="fold")
        for outcome in outcomes:
            kept = outcome.done is certificates.Done.KEPT
            done = f"{outcome.done}: {outcome.reason}" if outcome.reason else str(outcome.done)
            table.add_row(
                outcome.name,
                harmless(outcome.uri) or "-",
                f"{outcome.not_after:%Y-%m-%d}",
                done,
                style="dim" if kept else "",
            )
        out().print(table)
        note(f"In {folder}")


def _become(command: str, options: list[str]) -> NoReturn:
    """Ends this program and starts the other in its place, so that Ctrl-C and the exit code are its own."""
    arguments = [sys.executable, "-m", "deploy.local", command, *options]
    os.execv(sys.executable, arguments)  # noqa: S606  # no shell is what this is for
