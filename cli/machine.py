"""The commands that become another program: up and down, which run Papermesh on this machine, and envoy."""

import os
import sys
from typing import NoReturn

import typer

PASS_THROUGH = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
"""Settings of a command whose options belong to the program that it becomes."""


def up(context: typer.Context) -> None:
    """Run Papermesh on this machine until Ctrl-C."""
    _become("deploy.local", "up", *context.args)


def down(context: typer.Context) -> None:
    """Stop what `papermesh up` started."""
    _become("deploy.local", "down", *context.args)


def envoy(context: typer.Context) -> None:
    """Render Envoy's configuration, or check it."""
    _become("envoy", *context.args)


def _become(module: str, *options: str) -> NoReturn:
    """Ends this program and starts the other in its place, so that Ctrl-C and the exit code are its own."""
    arguments = [sys.executable, "-m", module, *options]
    os.execv(sys.executable, arguments)  # noqa: S606  # no shell is what this is for
