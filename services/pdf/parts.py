"""What workers say about pages, checked and joined as bytes. Workers are not trusted: a bad answer is a crash."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from google.protobuf.descriptor import Descriptor

from services.pdf.pages import PageRange, count_pages
from services.pdf.processes import outcomes
from services.pdf.processes.limits import result_too_large
from services.pdf.processes.process import Answer

Lists: TypeAlias = Mapping[str, bytes]
"""What some pages add to the lists of a response, by their names: items as JSON, with commas between them."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page that must be recognised before it can be read."""

    page: int
    """From 1."""

    reason: str
    """Why; as in PageText.ocr_reason."""


def believed_pages(chosen: Any, most: int) -> list[PageRange]:
    """The pages of a request, as a worker says: at most `most`, because every few become a task.

    Raises PapermeshError: ENGINE_FAIL for any other answer.
    """
    try:
        ranges = [(_number(first), _number(last)) for first, last in chosen]
    except (TypeError, ValueError):
        ranges = []
    if any(last < first for first, last in ranges) or not 0 < count_pages(ranges) <= most:
        raise outcomes.engine_failed("crash")
    return ranges


def pieces(answers: Sequence[Answer], most: int) -> list[Lists | Wanted]:
    """What the answers say of their pages, in order: what a run of pages adds, or a page that must be recognised.

    Raises PapermeshError: ENGINE_FAIL for invalid answers, and for more than `most` pages to be recognised.
    """
    try:
        found = [piece for answer in answers for piece in _pieces(answer)]
    except (AttributeError, KeyError, TypeError, ValueError):
        raise outcomes.engine_failed("crash") from None
    wanted = [piece.page for piece in found if isinstance(piece, Wanted)]
    if len(wanted) > most or len(set(wanted)) < len(wanted):
        raise outcomes.engine_failed("crash")
    return found


def page_count(answer: Answer) -> int:
    """How many pages the whole document has; ENGINE_FAIL if the worker says no number."""
    try:
        return _number(answer.header["pages"])
    except (KeyError, ValueError):
        raise outcomes.engine_failed("crash") from None


def join(response: Descriptor, pages: int, found: Sequence[Lists], limit_bytes: int) -> bytes:
    """One response as JSON, its fields in the proto's order: lists from all pieces, and `pages` of the document.

    Raises PapermeshError: TOO_LARGE over `limit_bytes`.
    """
    if sum(len(items) for lists in found for items in lists.values()) > limit_bytes:
        raise result_too_large(limit_bytes)
    fields = []
    for field in response.fields:
        if field.is_repeated:
            value = b"[%b]" % b",".join(items for lists in found if (items := lists.get(field.name)))
        elif field.name == "pages":
            value = b"%d" % pages
        else:
            continue
        fields.append(b'"%b":%b' % (field.name.encode(), value))
    return b"{%b}" % b",".join(fields)


def _pieces(answer: Answer) -> Iterator[Lists | Wanted]:
    """An answer's pieces; its payload holds their lists one after another."""
    start = 0
    for said in answer.header["pieces"]:
        if isinstance(said, list):
            page, reason = said
            yield Wanted(_number(page), str(reason))
            continue
        lists = {}
        for name, length in said.items():
            end = start + _number(length)
            lists[name] = answer.payload[start:end]
            start = end
        yield lists
    if start != len(answer.payload):
        raise ValueError(start)


def _number(said: Any) -> int:
    if not isinstance(said, int) or said < 0:
        raise ValueError(said)
    return said
