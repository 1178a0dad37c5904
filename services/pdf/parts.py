"""What workers say about pages, checked: they are not trusted, and an answer that cannot be true is a crash."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from services.pdf.pages import PageRange, count_pages
from services.pdf.processes import outcomes
from services.pdf.processes.process import Answer

_REASONS = ("no_text", "picture", "unmapped", "forced")


@dataclass(frozen=True, slots=True)
class ReadPage:
    """A page's reading."""

    content: bytes
    """As the worker wrote it; only workers read it."""

    is_plain: bool
    """Whether it is the same whether pictures are read or not, unless the caller insists on it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page that must be recognised before it can be read."""

    page: int
    """From 1."""

    reason: str
    """Why; as in PageText.ocr_reason."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A page that cannot be read."""

    failure: Mapping[str, Any]
    """As `papermesh.pdf.v1.PageFailure`."""


Piece: TypeAlias = ReadPage | Wanted | Failed


def believed_pages(chosen: Any, most: int) -> list[PageRange]:
    """The pages that a view needs, as a worker says: at most `most`, because every few become a task.

    Raises PapermeshError: ENGINE_FAIL for any other answer.
    """
    try:
        ranges = [(_number(first), _number(last)) for first, last in chosen]
    except (TypeError, ValueError):
        raise outcomes.engine_failed("crash") from None
    before = 0
    for first, last in ranges:
        if not before < first <= last:
            raise outcomes.engine_failed("crash")
        before = last
    if not 0 < count_pages(ranges) <= most:
        raise outcomes.engine_failed("crash")
    return ranges


def page_count(answer: Answer) -> int:
    """How many pages the whole document has; ENGINE_FAIL if the worker says no number above 0."""
    try:
        count = _number(answer.header["pages"])
    except (KeyError, ValueError):
        raise outcomes.engine_failed("crash") from None
    if count < 1:
        raise outcomes.engine_failed("crash")
    return count


def pieces(answer: Answer, asked: Sequence[int]) -> dict[int, Piece]:
    """What an answer says of the pages that were asked for, or of the first of them.

    Its header has an entry for each, as `services.pdf.worker.read.read_pages` says. Raises PapermeshError: ENGINE_FAIL.
    """
    try:
        return _pieces(answer, asked)
    except (KeyError, TypeError, ValueError):
        raise outcomes.engine_failed("crash") from None


def _pieces(answer: Answer, asked: Sequence[int]) -> dict[int, Piece]:
    found: dict[int, Piece] = {}
    start = 0
    for page, said in zip(asked, answer.header["found"], strict=False):
        if isinstance(said, list):
            length, is_plain = said
            end = start + _number(length)
            found[page] = ReadPage(answer.payload[start:end], bool(is_plain))
            start = end
        elif isinstance(said, dict):
            found[page] = Failed({"page": page, "reason": str(said["reason"]), "message": str(said["message"])})
        elif said in _REASONS:
            found[page] = Wanted(page, said)
        else:
            raise ValueError(said)
    if start != len(answer.payload) or len(answer.header["found"]) > len(asked):
        raise ValueError(start)
    return found


def _number(said: Any) -> int:
    if not isinstance(said, int) or said < 0:
        raise ValueError(said)
    return said
