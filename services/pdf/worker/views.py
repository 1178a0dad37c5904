"""The views of documents that a worker knows: functions that the service names and its zygote imports.

A view of a whole document takes it and its arguments, and returns its response as JSON text with all fields present:

    def describe(document: Document, arguments: Arguments) -> bytes

One whose result the service itself must know about returns an Outcome instead. A view of pages (`paged.py`) also takes
a page. A view of content alone takes its arguments only, and finds the content among them, under `wire.CONTENT`:

    def read_picture(arguments: Arguments) -> bytes

All raise PapermeshError for what the caller can fix.
"""

import pkgutil
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from services.pdf.worker.documents import Document, open_document
from services.pdf.worker.paged import read_pages

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


def load(function: str, *, paged: bool, content: bool) -> View:
    """Imports a view by "module:function"."""
    found = pkgutil.resolve_name(function)
    if content:
        return partial(_read_content, found)
    return partial(_open_and_read, partial(read_pages if paged else _read_whole, found))


def _open_and_read(read: Callable[[Document, Arguments], Outcome], given: Given, arguments: Arguments) -> Outcome:
    return read(open_document(given.document, given.password), arguments)


def _read_whole(
    describe: Callable[[Document, Arguments], bytes | Outcome], document: Document, arguments: Arguments
) -> Outcome:
    found = describe(document, arguments)
    return found if isinstance(found, tuple) else ({}, found)


def _read_content(read: Callable[[Arguments], bytes], _given: Given, arguments: Arguments) -> Outcome:
    return {}, read(arguments)
