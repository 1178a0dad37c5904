"""The commands that run Papermesh on this machine, up and down, and envoy, which renders its configuration."""

import os

import typer

from cli.locations import state_folder

PASS_THROUGH = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
"""Settings of a command whose options belong to the program behind it."""


def up() -> None:
    """Run Papermesh on this machine until Ctrl-C."""
    from deploy.local.up import up

    raise typer.Exit(up(state_folder(), os.environ))


def down() -> None:
    """Stop what `papermesh up` started."""
    from deploy.local.down import down

    raise typer.Exit(down(state_folder()))


def envoy(context: typer.Context) -> None:
    """Render Envoy's configuration, or check it."""
    from envoy.__main__ import app

    app(context.args, prog_name=context.command_path)
