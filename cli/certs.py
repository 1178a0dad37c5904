"""`papermesh certs`: the mesh's certificates, made, shown and rotated."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.failures import UsageError, reported
from cli.locations import state_folder
from cli.terminal import harmless, note, out, table_of

if TYPE_CHECKING:
    from trust.certificates import Listener, Outcome

app = typer.Typer(help="Make the mesh's certificates, renew them, show them.", invoke_without_command=True)
rotate = typer.Typer(help="Replace certificates that are still good, while the mesh runs.", no_args_is_help=True)
app.add_typer(rotate, name="rotate")

_NAMESPACE = "default"

_SERIAL_DIGITS = 8
"""Digits shown of a serial number's forty: enough to recognise a new one, and few enough for a terminal."""

Directory = Annotated[
    Path | None, typer.Option("--dir", help="Where the certificates are. Default: var/certs.", show_default=False)
]
Namespace = Annotated[str, typer.Option(help="The namespace in every SPIFFE id.")]


@app.callback()
def certs(
    context: typer.Context,
    *,
    directory: Directory = None,
    namespace: Namespace = _NAMESPACE,
    client: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="One of your own callers to make one for; may be repeated."),
    ] = None,
) -> None:
    """Make the mesh's certificates, renew old ones, and show all of them.

    Good ones stay as they are. `papermesh up` does this by itself.
    """
    with reported():
        if context.invoked_subcommand and (directory or client or namespace != _NAMESPACE):
            raise UsageError("Put options after their command: papermesh certs rotate ca --dir …")
    if context.invoked_subcommand:
        return
    from deploy import workloads
    from trust import certificates

    folder = _folder(directory)
    with reported():
        outcomes = certificates.ensure(
            folder,
            namespace,
            dict.fromkeys((*workloads.names(), *certificates.workloads(folder))),
            clients=dict.fromkeys((*certificates.callers(folder), *(client or ()))),
        )
        _show(outcomes)
        note(f"In {folder}. {_state(folder)}")


@rotate.command()
def leaf(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Whose, such as pdf or client/reports. Default: everybody's."),
    ] = None,
    *,
    directory: Directory = None,
) -> None:
    """Issue new certificates from the same CA."""
    from trust import certificates

    folder = _folder(directory)
    with reported():
        _show(certificates.rotate_leaves(folder, names or ()))
        note(f"In {folder}. Running workloads take them up within seconds, without a restart.")


@rotate.command()
def ca(
    *,
    directory: Directory = None,
    namespace: Namespace = _NAMESPACE,
    step: Annotated[
        str | None,
        typer.Option(metavar="trust|issue|drop", help="Take only this step, and do not wait. Default: all."),
    ] = None,
    ask: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=HOST:PORT",
            help="Who must have taken up each step; may be repeated. Default: what listens on a laptop.",
        ),
    ] = None,
    settle: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="Least time for each step for those who only call.", min=0),
    ] = None,
) -> None:
    """Replace the CA, and every certificate with it.

    First every workload is told to trust both the old CA and the new one. Then each gets a certificate from the new
    one, and then the old one is dropped. After each step it waits until all listeners have taken up the files. If it is
    interrupted, run it again: it goes on where it stopped.
    """
    from trust import certificates

    folder = _folder(directory)
    with reported():
        if step is not None:
            if step not in set(certificates.Step):
                raise UsageError(f"{step!r} is not a step of a rotation. They are trust, issue and drop, in order.")
            _show(certificates.take(folder, certificates.Step(step), namespace))
        else:
            listeners = [_listener(each) for each in ask] if ask else _laptop()
            note(f"Waiting after each step for {', '.join(map(str, listeners))}.")
            certificates.rotate_ca(
                folder,
                namespace,
                listeners,
                settle_s=certificates.SETTLE_S if settle is None else settle,
                report=lambda done: note(f"{done}: done"),
            )
        note(f"In {folder}. {_state(folder)}")


def _folder(given: Path | None) -> Path:
    return given if given is not None else state_folder() / "certs"


def _show(outcomes: "Sequence[Outcome]") -> None:
    from services.base.identity import TRUST_DOMAIN
    from trust.certificates import Done

    domain = f"spiffe://{TRUST_DOMAIN}/"
    table = table_of()
    for column in ("certificate", f"{domain}…", "serial", "valid until", "CA", "done"):
        table.add_column(column, overflow="fold")
    for outcome in outcomes:
        done = f"{outcome.done}: {outcome.reason}" if outcome.reason else str(outcome.done)
        table.add_row(
            outcome.name,
            harmless(outcome.uri.removeprefix(domain)) or "-",
            outcome.serial[:_SERIAL_DIGITS],
            f"{outcome.not_after:%Y-%m-%d}",
            outcome.issuer,
            done,
            style="dim" if outcome.done is Done.KEPT else "",
        )
    out().print(table)


def _state(folder: Path) -> str:
    """A sentence about the CA's rotation."""
    from datetime import UTC, datetime

    from trust.certificates import Phase, authority_of

    authority = authority_of(folder)
    match authority.phase:
        case Phase.TRUSTING:
            return "The CA is being rotated: workloads are told to trust both, the old one signs. Next step: issue."
        case Phase.ISSUING:
            return "The CA is being rotated: workloads are told to trust both, the new one signs. Next step: drop."
    if authority.is_due(datetime.now(UTC)):
        return "The CA is in the last third of its life. Replace it: papermesh certs rotate ca"
    return "No rotation of the CA is under way."


def _laptop() -> "list[Listener]":
    from deploy.local import replicas
    from deploy.local.ports import Ports
    from trust.certificates import Listener

    listening = Ports.from_environment(os.environ).listening(replicas.from_environment(os.environ))
    return [Listener(member, "127.0.0.1", port) for member, port in listening]


def _listener(text: str) -> "Listener":
    from trust.certificates import Listener

    member, _, address = text.partition("=")
    host, _, port = address.rpartition(":")
    if not member or not host or not port.isdecimal():
        raise UsageError(f"{text!r} names nobody to ask. Write it like pdf=127.0.0.1:9102.")
    return Listener(member, host.strip("[]"), int(port))
