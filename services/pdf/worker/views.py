"""The views of documents that a worker knows: functions that the service names and its zygote imports.

A view of pages takes what was read of them and its arguments, and returns its response as JSON text with all fields
present. Its worker does not open the document:

    def describe(readings: Readings, arguments: Arguments) -> bytes

A view of a whole document takes that instead:

    def describe(document: Document, arguments: Arguments) -> bytes

One whose result the service itself must know about returns an Outcome instead. Its header may say which pages it
`needs`, as ranges; then the service asks again with their readings among the arguments (`Readings.take`). A view of
content alone takes its arguments only, and finds the content among them, under `wire.CONTENT`:

    def read_picture(arguments: Arguments) -> bytes

All raise PapermeshError for what the caller can fix.
"""

import pkgutil
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from services.pdf.worker.documents import Document, open_document
from services.pdf.worker.readings import Readings, UnfitReadingsError

Arguments: TypeAlias = dict[str, Any]
"""What the operation's declaration takes from a request."""

Outcome: TypeAlias = tuple[dict[str, Any], bytes]
"""What the service must know about a result, and its JSON text, which it passes on or joins but does not parse."""


class Given(NamedTuple):
    """What a worker has besides a request's arguments."""

    document: int = -1
    """The document's descriptor; -1 where no view takes one."""

    password: str = ""
    """What opens the document; empty for none."""


View: TypeAlias = Callable[[Given, Arguments], Outcome]


def load(function: str, *, readings: bool, content: bool) -> View:
    """Imports a view by "module:function"."""
    found = pkgutil.resolve_name(function)
    if content:
        return partial(_read_content, found)
    return partial(_look_again, partial(_view_readings if readings else _open_and_read, found))


def _look_again(view: View, given: Given, arguments: Arguments) -> Outcome:
    try:
        return view(given, arguments)
    except UnfitReadingsError as error:
        return {"unfit": error.pages}, b""


def _view_readings(describe: Callable[[Readings, Arguments], bytes], _given: Given, arguments: Arguments) -> Outcome:
    return {}, describe(Readings.take(arguments), arguments)


def _open_and_read(
    describe: Callable[[Document, Arguments], bytes | Outcome], given: Given, arguments: Arguments
) -> Outcome:
    found = describe(open_document(given.document, given.password), arguments)
    return found if isinstance(found, tuple) else ({}, found)


def _read_content(read: Callable[[Arguments], bytes | Outcome], _given: Given, arguments: Arguments) -> Outcome:
    found = read(arguments)
    return found if isinstance(found, tuple) else ({}, found)
