"""The command `audit verify`: has anybody altered the audit log?"""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from cli.failures import UsageError, reported
from cli.locations import state_folder
from cli.terminal import harmless, note, out, table_of

if TYPE_CHECKING:
    from services.base.audit_chain import AuditKey, Head
    from trust.audit_check import Report

FAULTY = 1
"""The exit code when something is wrong with the log; 2 when that cannot be checked."""

app = typer.Typer(name="audit", help="Check the audit log.", no_args_is_help=True)

_REDIS_TIMEOUT_S = 5
_BATCH = 500


@app.callback()
def _group() -> None:
    """Check the audit log."""


@app.command()
def verify(
    directory: Annotated[
        Path | None,
        typer.Argument(
            metavar="DIR",
            envvar="PAPERMESH_AUDIT_DIR",
            help="Folder with the logs of all replicas. Default: var/audit.",
            show_default=False,
        ),
    ] = None,
    *,
    key_file: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            envvar="PAPERMESH_AUDIT_KEY_FILE",
            help="File with a key that logs were written under; may be repeated. Default: var/secrets/audit.json.",
        ),
    ] = None,
    redis: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            envvar="PAPERMESH_REDIS_STATE_URL",
            help="Redis in its state role. A URL with a password belongs in the variable. Default: the one in var/run.",
            show_envvar=True,
        ),
    ] = None,
    without_heads: Annotated[
        bool,
        typer.Option("--without-heads", help="Do not ask Redis. Removed logs and cut-off ends then go unnoticed."),
    ] = False,
) -> None:
    """Find lines and logs that were altered, removed, reordered or cut off.

    Exits with 0 if nothing was, 1 if something was, and 2 if that cannot be checked.
    """
    with reported():
        from trust import audit_check

        folder = directory or state_folder() / "audit"
        keys = _keys(key_file or [state_folder() / "secrets" / "audit.json"])
        read_heads = None if without_heads else partial(_heads, redis or f"unix://{quote(str(_own_redis()))}")
        try:
            reports = list(audit_check.check(folder, keys, read_heads))
        except OSError as error:
            raise UsageError(f"{error.filename or folder}: {error.strerror}.") from None
        if not reports:
            raise UsageError(f"There is no audit log in {folder}, and Redis knows of none. Name its folder: DIR.")
        _show(reports)
        if without_heads:
            note("Redis was not asked, so removed logs and cut-off ends were not looked for.")
        if faulty := sum(report.faulty for report in reports):
            note(f"{faulty} {'fault' if faulty == 1 else 'faults'} in {folder}")
            raise typer.Exit(FAULTY)
        note(f"Nothing in {folder} was altered.")


def _keys(files: list[Path]) -> "dict[str, AuditKey]":
    from services.base.audit_chain import read_key
    from services.base.signature import KeyFileError

    try:
        keys = [read_key(file) for file in files]
    except KeyFileError as error:
        raise UsageError(f"{error} --key-file names another one.") from None
    return {key.id: key for key in keys}


def _heads(url: str) -> "dict[str, Head]":
    """The heads that Redis knows, by chain.

    Raises:
        UsageError: when Redis cannot be asked.
    """
    from redis import Redis
    from redis.exceptions import RedisError

    from services.base.audit_chain import Head

    prefix = Head.key("")
    heads: dict[str, Head] = {}
    try:
        with Redis.from_url(url, socket_timeout=_REDIS_TIMEOUT_S, socket_connect_timeout=_REDIS_TIMEOUT_S) as redis:
            for name in redis.scan_iter(match=Head.key("*"), count=_BATCH):
                if (value := redis.get(name)) is not None:
                    heads[name.decode().removeprefix(prefix)] = Head.parse(value.decode())
    except (RedisError, OSError, ValueError) as error:
        raise UsageError(
            f"The heads cannot be read from Redis ({type(error).__name__}), so removed logs and cut-off ends cannot"
            " be found. --redis names another one; --without-heads checks the rest."
        ) from None
    return heads


def _own_redis() -> Path:
    socket = state_folder() / "run" / "redis-state.sock"
    if not socket.is_socket():
        raise UsageError(
            f"There is no Redis at {socket}, so removed logs and cut-off ends cannot be found. --redis names another"
            " one; --without-heads checks the rest."
        )
    return socket.resolve()  # a link, if its path would be too long for a socket


def _show(reports: "list[Report]") -> None:
    """A line for each log and, below them, a sentence for each fault."""
    console = out()
    table = table_of()
    for column in ("log", "lines", "first", "last", "ended", "result"):
        table.add_column(column, justify="right" if column == "lines" else "left", overflow="fold")
    for report in reports:
        result = f"{report.faulty} {'fault' if report.faulty == 1 else 'faults'}" if report.faulty else "ok"
        table.add_row(
            harmless(report.chain),
            str(report.lines),
            _to_the_second(report.first),
            _to_the_second(report.last),
            "yes" if report.ended else "no",
            result,
            style="red" if report.faulty else "",
        )
    console.print(table)
    for report in reports:
        for fault in report.faults:
            console.print(harmless(str(fault)), style="red")
        if (more := report.faulty - len(report.faults)) > 0:
            console.print(harmless(f"{report.chain}: and {more} more."), style="red")
        for remark in report.notes:
            note(f"{report.chain}: {remark}.")
        if report.missed:
            note(f"{report.chain}: lacks {report.missed} calls that were refused while it could not be written.")


def _to_the_second(time: str) -> str:
    """A line's time, shortened for a table."""
    return harmless(time.partition(".")[0] + "Z") if time else ""
