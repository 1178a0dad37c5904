"""The command `diff`: what changed between two documents, as a list by article, as JSON, or as files."""

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import options
from cli.calls import call, filled_in, open_adapter
from cli.failures import CALL_FAILED, USAGE, UsageError, reported
from cli.terminal import err, harmless_value, note, out, waiting, write_json

if TYPE_CHECKING:
    from rich.text import Text

    from cli.adapter import Adapter

ACTION = "PDF_DIFF"
CHANGED, FAILED = 1, 2
"""What --fail-on-changes exits with."""

_FACTS = ("n", "id", "op", "kind", "class", "derived", "uncertain")
_COLUMNS = (*_FACTS, "left", "left page", "right", "right page", "path")
_MARKS = {"insert": "+", "delete": "-", "modify": "~", "move": ">", "format": "*"}


def diff(
    words: options.Words = None,
    *,
    fail_on_changes: Annotated[
        bool,
        typer.Option(
            "--fail-on-changes",
            help="Exit with 1 if anything changed, and with 2 if the comparison failed or could not read every page.",
        ),
    ] = False,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write the changes to a CSV file too.")
    ] = None,
    html_file: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write the report too: one page to open in a browser."),
    ] = None,
    xlsx_file: Annotated[
        Path | None, typer.Option("--xlsx", metavar="FILE", help="Write the changes to a workbook for Excel too.")
    ] = None,
    pdf_file: Annotated[
        Path | None,
        typer.Option("--pdf", metavar="FILE", help="Write the later document with its changes marked too."),
    ] = None,
    derived: Annotated[
        bool, typer.Option("--derived", help="List the numbers and references too that merely follow other changes.")
    ] = False,
    password_file: options.PasswordFile = None,
    as_json: options.Json = False,
    url: options.Url = None,
) -> None:
    """Show what changed between two documents, article by article.

    papermesh diff old.pdf new.pdf
    """
    try:
        with reported(as_json=as_json), open_adapter(url) as adapter:
            args = filled_in(adapter, ACTION, words, None, password_file)
            if not {"left", "right"} <= args.keys():
                raise UsageError("Name two documents: papermesh diff old.pdf new.pdf")
            with waiting("comparing …"):
                answer = call(adapter, ACTION, args)
            if csv_file is not None:
                csv_file.write_text(_csv(answer.data["changes"]), encoding="utf-8-sig", newline="")
            for path, extension in ((html_file, ""), (xlsx_file, ".xlsx"), (pdf_file, ".pdf")):
                if path is not None:
                    _save(adapter, answer.data["report_id"], extension, path)
            if as_json:
                write_json(answer.text)
            else:
                _show(harmless_value(answer.data), with_derived=derived)
    except typer.Exit as exit_:
        raise typer.Exit(FAILED if fail_on_changes and exit_.exit_code in (CALL_FAILED, USAGE) else exit_.exit_code)  # noqa: B904  # the same
    if fail_on_changes:
        raise typer.Exit(_verdict(answer.data))


def _save(adapter: "Adapter", report_id: str, extension: str, path: Path) -> None:
    """Writes a file of the report, all of it or nothing."""
    if not report_id:
        raise UsageError("There is no report of documents that take a password. --csv and --json work with them.")
    content = io.BytesIO()
    with waiting("making the report …"):
        adapter.fetch(f"/reports/{report_id}{extension}", content)
    path.write_bytes(content.getvalue())
    note(f"{path}: {len(content.getvalue()):,} bytes")


def _verdict(data: dict[str, Any]) -> int:
    summary = data["summary"]
    if summary["changes"] or summary["uncertain"] or summary["furniture"] or data["relation"] == "different":
        return CHANGED
    return 0 if data["complete"] else FAILED


def _show(data: dict[str, Any], *, with_derived: bool) -> None:
    console = out()
    console.print(_verdict_said(data), style="bold" if data["complete"] else "bold yellow")
    above: list[str] = []
    for change in data["changes"]:
        if change["derived"] and not with_derived:
            continue
        path = change["address"]["path"]
        if path != above:
            console.print()
            console.print(" > ".join(path), style="bold cyan")
            above = path
        console.print(_line(change))
    if data["summary"].get("derived") and not with_derived:
        note("what merely follows other changes is not listed; --derived lists it")
    for warning in data["warnings"]:
        err().print(f"{warning['address']}: {warning['message']}", style="yellow")
    for side in ("left", "right"):
        for failure in data[side]["unreadable"]:
            err().print(f"{side}, page {failure['page']}: {failure['reason']}: {failure['message']}", style="yellow")
    if data["truncated"]:
        note("there are more changes than are listed: raise max_changes=")


def _verdict_said(data: dict[str, Any]) -> str:
    """How many changes there are, and what the answer says of the rest."""
    if data["relation"] != "revision":
        return str(data["message"])
    names = {"changes": "change", "derived": "derived", "uncertain": "uncertain", "furniture": "in running lines"}
    counts = {name: data["summary"].get(name, 0) for name in names}
    said = [f"{many:,} {names[name]}" for name, many in counts.items() if many or name == "changes"]
    said[0] += "" if counts["changes"] == 1 else "s"
    return f"{', '.join(said)}. {data['message']}"


def _line(change: dict[str, Any]) -> "Text":
    """One change on one line: its sign, where it stands, what went and what came."""
    from rich.text import Text

    left, right = change["left"], change["right"]
    address = change["address"]["right"] or change["address"]["left"]
    line = Text(f"  {_MARKS.get(change['op'], '?')} ", style="bold")
    if page := _page(right) or _page(left):
        line.append(f"p. {page}  ", "dim")
    if address:
        line.append(f"{address}: ", "bold")
    if change["op"] == "format":
        line.append(f"“{right['text']}” {_looks(change.get('format') or {}) or 'looks different'}")
    elif change["op"] == "move":
        line.append(f"“{right['text']}” moved from p. {_page(left)}")
    else:
        if left["text"]:
            line.append(left["text"], "red strike")
        if left["text"] and right["text"]:
            line.append(" → ")
        line.append(right["text"], "green")
    if remarks := [name for name in ("derived", "uncertain") if change[name]]:
        line.append(f"  ({', '.join(remarks)})", "dim")
    return line


def _looks(pairs: dict[str, Any]) -> str:
    """What became of how a text looks: "size 10 → 14 pt, bold"."""
    said = []
    for name, pair in pairs.items():
        if len(pair) != len(("before", "now")):
            continue
        before, now = pair
        if isinstance(now, bool):
            said.append(name if now else f"no longer {name}")
        else:
            said.append(f"{name} {before} → {now}{' pt' if name == 'size' else ''}")
    return ", ".join(said)


def _page(side: dict[str, Any]) -> int:
    """Where it stands, or where it is missing; 0 if nothing says that."""
    regions = side["regions"]
    return int(regions[0]["page"] if regions else (side.get("gap") or {}).get("page", 0))


def _csv(changes: list[dict[str, Any]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(_COLUMNS)
    for change in changes:
        sides = [value for side in ("left", "right") for value in (change[side]["text"], _page(change[side]) or "")]
        facts = [change[name] for name in _FACTS]
        writer.writerow(map(_cell, [*facts, *sides, " > ".join(change["address"]["path"])]))
    return file.getvalue()


def _cell(value: Any) -> Any:
    """A value that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
