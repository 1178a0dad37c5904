"""How a failed command exits: with 1 if a call failed, with 2 if the command line itself is wrong."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from cli.terminal import err, harmless, write_json
from services.base.errors import OperatorError, PapermeshError

CALL_FAILED = 1
USAGE = 2


class UsageError(OperatorError):
    """The command line makes no sense; the text is for whoever typed it."""


class CallError(Exception):
    """The adapter answered with an error."""

    def __init__(self, error: PapermeshError, envelope: str) -> None:
        """Carries the error and the JSON that it came in."""
        super().__init__(str(error))
        self.error = error
        self.envelope = envelope


@contextmanager
def reported(*, as_json: bool = False) -> Iterator[None]:
    """Turns a command's failures into lines on standard error and an exit code.

    Args:
        as_json: Whether to print the envelope of a failed call as well, on standard output.
    """
    try:
        yield
    except OperatorError as problem:
        err().print(harmless(str(problem)), style="red")
        raise typer.Exit(USAGE) from None
    except OSError as error:
        if error.filename is None:  # no file that somebody could fix
            raise
        err().print(harmless(f"{error.filename}: {error.strerror}."), style="red")
        raise typer.Exit(USAGE) from None
    except CallError as failure:
        if as_json:
            write_json(failure.envelope)
        show(failure.error)
        raise typer.Exit(CALL_FAILED) from None
    except PapermeshError as error:
        show(error)
        raise typer.Exit(CALL_FAILED) from None


def show(error: PapermeshError) -> None:
    """Prints "BAD_ARG: message", how long to wait, and the arguments at fault."""
    from rich.text import Text

    line = Text.assemble((error.code, "bold red"), ": ", harmless(error.message))
    if advice := _advice(error):
        line.append(f" ({advice})", "yellow")
    console = err()
    console.print(line)
    for violation in error.violations:
        if violation.description not in error.message:
            console.print(
                Text.assemble("  ", (harmless(violation.field), "bold"), f": {harmless(violation.description)}")
            )
    if error.request_id:
        console.print(f"  request {harmless(error.request_id)}", style="dim")


def _advice(error: PapermeshError) -> str:
    parts = ["transient"] if error.code.is_transient else []
    if error.retry_after_ms is not None:
        parts.append(f"try again in {max(error.retry_after_ms / 1000, 0.1):.3g} s")
    return "; ".join(parts)
