"""The commands that call the adapter: actions, upload, delete, invoke."""

import difflib
import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import arguments, options, passwords
from cli.failures import CallError, UsageError, reported
from cli.locations import adapter_url
from cli.terminal import err, harmless, note, opened_with_bar, waiting, write, write_json
from services.base.errors import Code, PapermeshError
from services.base.names import MAX_IDEMPOTENCY_KEY, is_digest, is_idempotency_key

if TYPE_CHECKING:
    from cli.adapter import Adapter, Answer


def actions(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Show this action's arguments.", show_default=False)
    ] = None,
    *,
    as_json: options.Json = False,
    url: options.Url = None,
) -> None:
    """List the actions, or show one with its arguments.

    papermesh actions PDF_TEXT
    """
    with reported(as_json=as_json), open_adapter(url) as adapter:
        answer = adapter.actions()
        if name is None and as_json:
            write_json(answer.text)
            return
        from cli import catalogue

        listed = answer.data["actions"]
        if name is None:
            catalogue.show_all(listed)
            return
        found = find(name, listed)
        if found is None:
            raise UsageError(f"There is no action {name}.{_near(name, listed) or ' `papermesh actions` lists them.'}")
        if as_json:
            write_json(json.dumps(found, ensure_ascii=False, indent=2))
        else:
            catalogue.show_one(found)


def upload(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", help="The files to upload.", exists=True, dir_okay=False, readable=True),
    ],
    *,
    as_json: options.Json = False,
    url: options.Url = None,
) -> None:
    """Upload files and print a doc_ref for each.

    A doc_ref is ready to use in a call: papermesh invoke PDF_TEXT '{"doc_ref": …}'
    """
    with reported(as_json=as_json), open_adapter(url) as adapter:
        for file in files:
            answer = _upload(adapter, file)
            if as_json:
                write_json(answer.text)
            else:
                note(f"{file.name}: {answer.data['size']:,} bytes")
                write(json.dumps(answer.data["doc_ref"]))


def delete(
    documents: Annotated[
        list[str],
        typer.Argument(
            metavar="SHA256|FILE", help="The uploads to delete: their digests, or the same files.", show_default=False
        ),
    ],
    *,
    as_json: options.Json = False,
    url: options.Url = None,
) -> None:
    """Delete uploads.

    papermesh delete report.pdf
    """
    with reported(as_json=as_json), open_adapter(url) as adapter:
        for digest in [_digest(document) for document in documents]:
            answer = adapter.delete(digest)
            if as_json:
                write_json(answer.text)
            else:
                note(f"{digest} is deleted.")


def invoke(
    action: Annotated[
        str,
        typer.Argument(metavar="ACTION", help="Name of the action; papermesh actions lists them.", show_default=False),
    ],
    words: options.Words = None,
    *,
    args: options.ArgsJson = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Compute the result again.")] = False,
    idempotency_key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY", help="Repeated with the same key within 24 hours, a call runs once and gets the same answer."
        ),
    ] = None,
    password_file: options.PasswordFile = None,
    as_json: options.Json = False,
    url: options.Url = None,
) -> None:
    """Run an action and print its result.

    Local files are uploaded first.

    papermesh invoke PDF_TEXT report.pdf pages=1-3
    """
    with reported(as_json=as_json), open_adapter(url) as adapter:
        if idempotency_key is not None and not is_idempotency_key(idempotency_key):
            raise UsageError(f"An idempotency key has 1 to {MAX_IDEMPOTENCY_KEY} visible ASCII characters.")
        filled = filled_in(adapter, action, words, args, password_file)
        with waiting(f"{action} …"):
            answer = call(adapter, action, filled, no_cache=no_cache, idempotency_key=idempotency_key)
        if as_json:
            write_json(answer.text)
        else:
            from cli.results import show_result

            show_result(answer.data, answer.meta)


def find(name: str, listed: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The catalogue's entry for an action."""
    return next((entry for entry in listed if entry["name"] == name), None)


def open_adapter(url: str | None) -> "Adapter":
    """The adapter at this address, or else where the environment says."""
    from cli.adapter import Adapter

    return Adapter(adapter_url(url))


def filled_in(
    adapter: "Adapter", action: str, words: list[str] | None, args: str | None, password_file: str | None
) -> dict[str, Any]:
    """An action's arguments, of words and JSON, with files uploaded and the password that opens them."""
    given, rest = arguments.split(words or (), args)
    password = passwords.read(password_file) if password_file is not None else ""
    filled = _with_files(adapter, action, rest, given) if rest else given
    return arguments.with_password(filled, password) if password else filled


def _with_files(adapter: "Adapter", action: str, words: list[str], given: dict[str, Any]) -> dict[str, Any]:
    """The arguments with files uploaded. For an unknown action they stay as they are, for the call to be refused."""
    entry = find(action, adapter.actions().data["actions"])
    if entry is None:
        return given
    args = arguments.read(words, given, entry["args_schema"])
    references = {file: _upload(adapter, file).data["doc_ref"] for file in arguments.files(args)}
    return arguments.with_references(args, references)


def call(adapter: "Adapter", action: str, args: dict[str, Any], **options: Any) -> "Answer":
    """The answer of an action; to one that there is not, the failure says which may have been meant."""
    try:
        return adapter.invoke(action, args, **options)
    except CallError as failure:
        if failure.error.code is Code.BAD_ARG:
            # A second opinion; without it, the first is good enough.
            with suppress(CallError, PapermeshError):
                listed = adapter.actions().data["actions"]
                if find(action, listed) is None:
                    failure.error.message += _near(action, listed)
        raise


def _upload(adapter: "Adapter", file: Path) -> "Answer":
    try:
        with opened_with_bar(file) as opened:
            return adapter.upload(opened)
    except CallError:
        err().print(f"{harmless(file.name)} was not uploaded.")
        raise
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from None


def _digest(document: str) -> str:
    """The digest of an upload."""
    if is_digest(document):
        return document
    try:
        with Path(document).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"{document} is neither a SHA-256 nor a file that can be read: {error.strerror}.") from None


def _near(name: str, listed: list[dict[str, Any]]) -> str:
    """Which action may have been meant."""
    near = difflib.get_close_matches(name.upper(), [entry["name"] for entry in listed], n=1)
    return f" Did you mean {near[0]}?" if near else ""
