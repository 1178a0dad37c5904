"""An action's arguments from the words of a command line, typed by the action's own schema.

    papermesh invoke PDF_DIFF old.pdf new.pdf mode=text
    papermesh invoke PDF_TEXT doc_ref=/tmp/a.pdf pages=1-3
    papermesh invoke GITLAB_PROJECT_INFO project.project_path=corp/policies

The schema says which argument a file fills: a property that is a reference to a document. So an in-house action takes
files just like a built-in one.
"""

import copy
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from cli.failures import UsageError
from services.base.names import is_digest

Schema = Mapping[str, Any]

_PAIR = re.compile(r"([A-Za-z_]\w*(?:\.\w+)*)=(.*)", re.ASCII | re.DOTALL)
_INTEGER = re.compile(r"-?[0-9]+", re.ASCII)
_WORDS = {"true": True, "false": False}
_PLACES = ("UPLOAD", "GITLAB")


@dataclass(frozen=True, slots=True)
class LocalFile:
    """Holds the place of the reference to an uploaded file."""

    path: Path


def split(words: Iterable[str], args_option: str | None) -> tuple[dict[str, Any], list[str]]:
    """The arguments given as JSON, and the words that only the action's schema can explain."""
    words = list(words)
    objects = [word for word in words if word.startswith("{")]
    if len(objects) + (args_option is not None) > 1:
        raise UsageError("Give the arguments as one JSON object, not several.")
    text = args_option if args_option is not None else next(iter(objects), "{}")
    given = _json(text, "The arguments")
    if not isinstance(given, dict):
        raise UsageError('The arguments must be a JSON object, {"doc_ref": …}.')
    _refuse_passwords(given)
    return given, [word for word in words if not word.startswith("{")]


def read(words: Iterable[str], given: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """Adds KEY=VALUE pairs, and files as `LocalFile`, to the arguments given as JSON.

    Raises:
        UsageError: naming the word that does not fit the schema.
    """
    args: dict[str, Any] = copy.deepcopy(given)
    files = []
    for word in words:
        if pair := _PAIR.fullmatch(word):
            _put(args, pair[1].split("."), pair[2], schema)
        else:
            files.append(_file(word, f"Give files and KEY=VALUE. Arguments: {_known(schema)}."))
    _place(files, args, schema)
    return args


def files(value: Any) -> list[Path]:
    """The files in the arguments, each once, in order."""
    found: dict[Path, None] = {}
    _walk(value, lambda file: found.setdefault(file.path))
    return list(found)


def with_references(args: dict[str, Any], references: Mapping[Path, Any]) -> dict[str, Any]:
    """The arguments with every file replaced by its reference."""
    replaced: dict[str, Any] = _walk(args, lambda file: references[file.path])
    return replaced


def digests(value: Any) -> list[str]:
    """The digests of the uploads that the arguments refer to, each once, in order."""
    uploads = [reference.get("sha256") for reference in _references(value) if reference["type"] == "UPLOAD"]
    return list(dict.fromkeys(sha256 for sha256 in uploads if isinstance(sha256, str) and is_digest(sha256)))


def with_password(args: dict[str, Any], password: str) -> dict[str, Any]:
    """The arguments with a password in each reference to a document; it is ignored where none is needed.

    Raises:
        UsageError: when they name no document.
    """
    args = copy.deepcopy(args)
    references = list(_references(args))
    if not references:
        raise UsageError("A password opens documents, and the arguments name none.")
    for reference in references:
        reference["password"] = password
    return args


def is_document(schema: Schema) -> bool:
    """Whether a property is a reference to a document, judging by its shape."""
    return schema.get("type") == "object" and {"type", "sha256"} <= schema.get("properties", {}).keys()


def is_documents(schema: Schema) -> bool:
    """Whether a property is a list of references to documents."""
    return schema.get("type") == "array" and is_document(schema.get("items") or {})


def _references(value: Any) -> Iterator[dict[str, Any]]:
    """The references to documents that are in a value, judging by their shape."""
    if isinstance(value, dict):
        if value.get("type") in _PLACES:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _references(item)


def _refuse_passwords(value: Any) -> None:
    if any("password" in reference for reference in _references(value)):
        _refuse_password()


def _refuse_password() -> NoReturn:
    raise UsageError(
        "Everybody on a machine can read its command lines. Give `papermesh invoke` the password with"
        " --password-file FILE; with - you are asked for it."
    )


def _walk(value: Any, replace: Callable[[LocalFile], Any]) -> Any:
    if isinstance(value, LocalFile):
        return replace(value)
    if isinstance(value, dict):
        return {key: _walk(item, replace) for key, item in value.items()}
    if isinstance(value, list):
        return [_walk(item, replace) for item in value]
    return value


def _put(args: dict[str, Any], path: list[str], text: str, schema: Schema) -> None:
    """Sets one argument; a path of several names reaches into objects."""
    *above, last = path
    for depth, name in enumerate(above, start=1):
        schema = _child(schema, name, path)
        args = args.setdefault(name, {})
        if not isinstance(args, dict):
            raise UsageError(f"{'.'.join(path[:depth])} is given twice, and once as something other than an object.")
    schema = _child(schema, last, path)
    if schema.get("writeOnly"):
        _refuse_password()
    if schema.get("type") == "array" and not text.startswith("["):
        items = args.setdefault(last, [])
        if not isinstance(items, list):
            raise UsageError(f"{'.'.join(path)} is a list.")
        items.append(_value(text, schema.get("items") or {}, ".".join(path)))
    else:
        args[last] = _value(text, schema, ".".join(path))


def _child(schema: Schema, name: str, path: list[str]) -> Schema:
    child = schema.get("properties", {}).get(name)
    if child is None and schema.get("additionalProperties") not in (None, False):
        child = schema["additionalProperties"]
    if child is None and "properties" in schema:
        raise UsageError(f"There is no argument {'.'.join(path)}. Arguments: {_known(schema)}.")
    return child if isinstance(child, Mapping) else {}


def _known(schema: Schema) -> str:
    return ", ".join(schema.get("properties", {})) or "none"


def _value(text: str, schema: Schema, name: str) -> Any:
    """A value of the type that the schema asks for."""
    if is_document(schema):
        return _document(text, name)
    kind = schema.get("type")
    if kind == "string" or "enum" in schema:
        return text
    if kind == "boolean":
        return _WORDS[text] if text in _WORDS else _not(name, "true or false", text)
    if kind == "integer":
        return int(text) if _INTEGER.fullmatch(text) else _not(name, "a whole number", text)
    value = _json(text, name) if kind or text[:1] in set('{["') else text
    if kind == "number" and (isinstance(value, bool) or not isinstance(value, int | float)):
        _not(name, "a number", text)
    return value


def _document(text: str, name: str) -> Any:
    if text.startswith("{"):
        reference = _json(text, name)
        _refuse_passwords(reference)
        return reference
    if is_digest(text):
        return {"type": "UPLOAD", "sha256": text}
    return _file(text, f"{name} takes a file, the SHA-256 of an upload, or a JSON reference.")


def _not(name: str, wanted: str, text: str) -> NoReturn:
    raise UsageError(f"{name} must be {wanted}, not {text!r}.")


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text, parse_constant=_not_finite)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name}: this is not JSON: {error}") from None


def _not_finite(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number in JSON")


def _file(text: str, hint: str) -> LocalFile:
    path = Path(text).expanduser()
    if path.is_file():
        return LocalFile(path)
    raise UsageError(f"{text} is {'a folder' if path.is_dir() else 'not a file'}. {hint}")


def _place(given: list[LocalFile], args: dict[str, Any], schema: Schema) -> None:
    """Puts files into the arguments for documents that are still free, required ones first."""
    properties = schema.get("properties", {})
    required = schema.get("required", ())
    order = sorted(properties, key=lambda name: name not in required)
    free = [name for name in order if is_document(properties[name]) and name not in args]
    args.update(zip(free, given, strict=False))
    rest = given[len(free) :]
    lists = [name for name in order if is_documents(properties[name])]
    if rest and lists:
        args[lists[0]] = [*args.get(lists[0], ()), *rest]
    elif rest:
        room = f"it takes a file for {', '.join(free)}" if free else "it takes no file here"
        raise UsageError(f"{rest[0].path} is one file too many: {room}.")
