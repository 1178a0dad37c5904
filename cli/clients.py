"""The commands `clients list`, `clients add` and `clients rotate-key`: who may call, and with which keys."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import locations
from cli.failures import UsageError, reported
from cli.terminal import harmless, note, out, table_of

if TYPE_CHECKING:
    from trust.clients_file import Entry

app = typer.Typer(help="Manage the clients that may call, and their keys.", no_args_is_help=True, rich_markup_mode=None)

File = Annotated[
    Path | None,
    typer.Option(
        "--file",
        envvar="PAPERMESH_CLIENTS_FILE",
        metavar="FILE",
        help="The clients file. Default: var/secrets/clients.json.",
        show_default=False,
    ),
]
KeyFile = Annotated[
    Path | None,
    typer.Option("--key", metavar="FILE", help="The client's key file. Default: var/secrets/CLIENT.json."),
]


@app.command("list")
def list_(*, file: File = None) -> None:
    """Show the clients, their keys' ids and their rights. No secret is shown."""
    with reported():
        from trust import clients_file

        table = table_of()
        for column in ("client", "keys", "certificate", "actions", "projects", "calls for"):
            table.add_column(column, overflow="fold")
        for entry in clients_file.read(_listing(file)):
            table.add_row(*map(harmless, _row(entry)))
        out().print(table)


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name in x-client.", show_default=False)],
    *,
    action: Annotated[
        list[str] | None, typer.Option(metavar="GLOB", help="Actions that it may call, PDF_*; may be repeated.")
    ] = None,
    project: Annotated[
        list[str] | None, typer.Option(metavar="GLOB", help="GitLab projects that it may read; may be repeated.")
    ] = None,
    acts_for: Annotated[bool, typer.Option("--acts-for", help="It may call for actors other than itself.")] = False,
    namespace: Annotated[str, typer.Option(help="The namespace in its SPIFFE id.")] = "default",
    file: File = None,
    key: KeyFile = None,
    certs: Annotated[
        Path | None, typer.Option("--certs", metavar="DIR", help="Where the certificates are. Default: var/certs.")
    ] = None,
) -> None:
    """Add a client, and make its certificate and key.

    papermesh clients add reports --action 'PDF_*' --project 'corp/*'
    """
    with reported():
        from services.base.identity import client_id
        from trust import certificates, clients_file

        listing, key_file = _listing(file), key or locations.key_file(name)
        if key_file.exists():
            raise UsageError(f"{key_file} is there already. Choose another name, or another file with --key.")
        folder = certs or locations.state_folder() / "certs"
        with clients_file.changing(listing) as entries:
            if any(entry["id"] == name for entry in entries):
                raise UsageError(f"There is a client {name} already.")
            made = clients_file.new_key()
            # The entry comes last: once it exists, the client has all that it needs.
            certificates.ensure(folder, namespace, clients=[name])
            clients_file.write_key_file(key_file, name, made)
            entries.append(
                {
                    "id": name,
                    "keys": [made],
                    "certificate": client_id(namespace, name),
                    "actions": action or [],
                    "projects": project or [],
                    "acts_for": acts_for,
                }
            )
        note(f"Its key is in {key_file}, its certificate in {folder / 'client' / name}.")


@app.command()
def rotate_key(
    client: Annotated[str, typer.Argument(metavar="CLIENT", help="Whose key.", show_default=False)],
    *,
    finish: Annotated[bool, typer.Option("--finish", help="Remove the old key.")] = False,
    settle_s: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="How long it takes until a changed file is read.")
    ] = 5,
    file: File = None,
    key: KeyFile = None,
) -> None:
    """Give a client a new key. The old one stays good until --finish.

    papermesh clients rotate-key reports. Once it signs with the new key, run this again with --finish.
    """
    with reported():
        from trust import key_rotation

        listing, key_file = _listing(file), key or locations.key_file(client)
        if finish:
            gone = key_rotation.finish(listing, client, key_file, settle_s)
            note(f"Removed: {', '.join(gone)}." if gone else f"{client} has only one key; there was nothing to do.")
            return
        made = key_rotation.begin(listing, client, key_file, settle_s)
        note(f"The new key {made} is in {key_file}. When {client} signs with it, run this again with --finish.")


def _listing(file: Path | None) -> Path:
    return file or locations.state_folder() / "secrets" / "clients.json"


def _row(entry: "Entry") -> tuple[str, ...]:
    """An entry of any shape as a row of the table: dispatch checks entries, and this only shows them."""
    grants = entry.get("grants")
    granted = _count(len(grants), "grant") if isinstance(grants, list) else "anyone"
    return (
        entry["id"],
        _words([key["id"] for key in entry["keys"]]),
        str(entry.get("certificate", "-")),
        _words(entry.get("actions")),
        _words(entry.get("projects")),
        granted if entry.get("acts_for") else "itself",
    )


def _words(found: object) -> str:
    return " ".join(map(str, found)) if isinstance(found, list) and found else "-"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
