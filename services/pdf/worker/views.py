"""The views of documents that a worker knows: functions that the service names and its zygote imports.

A view of a whole document takes it and its arguments, and returns its response as JSON text with all fields present:

    def describe(document: Document, arguments: Arguments) -> bytes

One whose result the service itself must know about returns an Outcome instead. A view of pages (`paged.py`) also takes
a page. Both raise PapermeshError for what the caller can fix.
"""

import pkgutil
from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

from services.pdf.worker.documents import Document
from services.pdf.worker.paged import read_pages

Arguments: TypeAlias = dict[str, Any]
"""What the operation's declaration takes from a request."""

Outcome: TypeAlias = tuple[dict[str, Any], bytes]
"""What the service must know about a result, and its JSON text, which it passes on or joins but does not parse."""

View: TypeAlias = Callable[[Document, Arguments], Outcome]


def load(function: str, *, paged: bool) -> View:
    """Imports a view by "module:function"."""
    return partial(read_pages if paged else _read_whole, pkgutil.resolve_name(function))


def _read_whole(
    describe: Callable[[Document, Arguments], bytes | Outcome], document: Document, arguments: Arguments
) -> Outcome:
    found = describe(document, arguments)
    return found if isinstance(found, tuple) else ({}, found)
