"""The commands that run Papermesh on this machine: up and down."""

import os
import sys
from typing import NoReturn

import typer

PASS_THROUGH = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
"""Settings of a command whose options belong to the program that it becomes."""


def up(context: typer.Context) -> None:
    """Run Papermesh on this machine until Ctrl-C."""
    _become("up", context.args)


def down(context: typer.Context) -> None:
    """Stop what `papermesh up` started."""
    _become("down", context.args)


def _become(command: str, options: list[str]) -> NoReturn:
    """Ends this program and starts the other in its place, so that Ctrl-C and the exit code are its own."""
    arguments = [sys.executable, "-m", "deploy.local", command, *options]
    os.execv(sys.executable, arguments)  # noqa: S606  # no shell is what this is for
