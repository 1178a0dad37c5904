"""The commands `keys add`, `keys list` and `keys remove`: the API keys of an adapter's people."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import locations
from cli.failures import UsageError, reported
from cli.terminal import harmless, note, out, table_of, write

if TYPE_CHECKING:
    from mcp_adapter.people.api_keys_file import ApiKey

app = typer.Typer(name="keys", help="Make, list and remove API keys.", no_args_is_help=True, rich_markup_mode=None)

_DAYS = re.compile(r"([1-9][0-9]{0,4})d", re.ASCII)

File = Annotated[
    Path | None,
    typer.Option(
        "--file",
        envvar="PAPERMESH_API_KEYS_FILE",
        metavar="FILE",
        help="The file that the adapter reads. Default: var/secrets/api-keys.json.",
    ),
]


@app.command()
def add(
    actor: Annotated[str, typer.Argument(metavar="ACTOR", help="Whose key it is, such as a name or an address.")],
    *,
    expires: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="The last day it works, 2027-01-31 (UTC), or how long it works, 90d."),
    ] = None,
    file: File = None,
) -> None:
    """Make a key and print it, once.

    Only its hash is stored. A running adapter accepts it within a second or two.

    papermesh keys add ada@example.com --expires 90d
    """
    from mcp_adapter.people.actors import is_actor
    from mcp_adapter.people.api_keys import digest, new_api_key
    from mcp_adapter.people.api_keys_file import ApiKey, changing
    from services.base.names import MAX_ACTOR

    with reported():
        if not is_actor(actor):
            raise UsageError(f"An actor has 1 to {MAX_ACTOR} printable characters, and no space around them.")
        ends = _moment(expires) if expires is not None else None
        path = _path(file)
        key = new_api_key()
        with changing(path) as keys:
            added = ApiKey(_new_id(keys), actor, digest(key), ends)
            keys.append(added)
        write(key)
        note(f"{added.key_id} for {actor}, {_until(added)}. It is shown only this once; {path} holds its hash.")


@app.command("list")
def list_keys(*, file: File = None) -> None:
    """List the keys, without their secrets."""
    from mcp_adapter.people.api_keys_file import read_api_keys

    with reported():
        path = _path(file)
        table = table_of()
        for column in ("id", "actor", "works"):
            table.add_column(column, overflow="fold")
        for key in read_api_keys(path).values():
            table.add_row(key.key_id, harmless(key.actor), _until(key), style="dim" if _is_over(key) else "")
        out().print(table)
        note(f"In {path}")


@app.command()
def remove(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id; papermesh keys list shows it.")],
    *,
    file: File = None,
) -> None:
    """Remove a key. A running adapter refuses it within a second or two."""
    from mcp_adapter.people.api_keys_file import changing, read_api_keys

    with reported():
        path = _path(file)
        read_api_keys(path)  # a missing file is not created
        with changing(path) as keys:
            left = [key for key in keys if key.key_id != key_id]
            if len(left) == len(keys):
                raise UsageError(f"There is no key {key_id}. `papermesh keys list` lists them.")
            removed = next(key for key in keys if key.key_id == key_id)
            keys[:] = left
        note(f"{key_id} of {removed.actor} is removed.")


def _path(given: Path | None) -> Path:
    return given or locations.state_folder() / "secrets" / "api-keys.json"


def _new_id(keys: "list[ApiKey]") -> str:
    import secrets

    taken = {key.key_id for key in keys}
    while (made := f"k-{secrets.token_hex(4)}") in taken:
        pass
    return made


def _moment(text: str) -> datetime:
    """When a key expires: after so many days, or at the end of a day."""
    if days := _DAYS.fullmatch(text):
        return datetime.now(UTC) + timedelta(days=int(days[1]))
    try:
        end = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise UsageError(f"{text} is neither a day, 2027-01-31, nor a number of days, 90d.") from None
    if end <= datetime.now(UTC):
        raise UsageError(f"{text} has passed.")
    return end


def _is_over(key: "ApiKey") -> bool:
    return key.expires is not None and key.expires <= datetime.now(UTC)


def _until(key: "ApiKey") -> str:
    if key.expires is None:
        return "until it is removed"
    return f"{'ended' if _is_over(key) else 'until'} {key.expires:%Y-%m-%d %H:%M} UTC"
