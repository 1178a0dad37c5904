"""What workers say about pages, checked and joined as bytes. Workers are not trusted: a bad answer is a crash."""

from collections.abc import Sequence
from typing import Any

from google.protobuf.descriptor import Descriptor

from services.pdf.pages import PageRange, count_pages
from services.pdf.processes import outcomes
from services.pdf.processes.limits import result_too_large
from services.pdf.processes.process import Answer


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


def join(response: Descriptor, answers: Sequence[Answer], limit_bytes: int) -> bytes:
    """One response as JSON, its fields in the proto's order: lists from all answers, and `pages` from the first.

    Raises PapermeshError: TOO_LARGE over `limit_bytes`, ENGINE_FAIL for invalid answers.
    """
    if sum(len(answer.payload) for answer in answers) > limit_bytes:
        raise result_too_large(limit_bytes)
    try:
        pages = _number(answers[0].header["pages"])
        parts = [_lists(answer) for answer in answers]
    except (AttributeError, KeyError, TypeError, ValueError):
        raise outcomes.engine_failed("crash") from None
    fields = []
    for field in response.fields:
        if field.is_repeated:
            value = b"[%b]" % b",".join(items for part in parts if (items := part.get(field.name)))
        elif field.name == "pages":
            value = b"%d" % pages
        else:
            continue
        fields.append(b'"%b":%b' % (field.name.encode(), value))
    return b"{%b}" % b",".join(fields)


def _lists(answer: Answer) -> dict[str, bytes]:
    """An answer's lists by name; its payload holds them one after another."""
    lists, start = {}, 0
    for name, length in answer.header["lists"].items():
        end = start + _number(length)
        lists[name] = answer.payload[start:end]
        start = end
    if start != len(answer.payload):
        raise ValueError(start)
    return lists


def _number(said: Any) -> int:
    if not isinstance(said, int) or said < 0:
        raise ValueError(said)
    return said
