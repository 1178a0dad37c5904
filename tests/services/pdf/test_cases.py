"""Small files whose right answers are known (cases/README.md)."""

import json
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from services.base.errors import PapermeshError
from services.pdf.processes.pool import WorkerPool
from services.pdf.processes.subject import Subject
from services.pdf.worker.documents import Document
from tests.services.pdf.support import Questions, open_path
from tests.services.pdf.viewing import metadata_of, outline_of, text_of

FOLDER = Path(__file__).with_name("cases")
CASES = json.loads((FOLDER / "expected.json").read_text())

FALL_SHORT: set[str] = set()
"""What is not read right yet. A test fails as soon as one of them is."""


VIEWS: Mapping[str, Callable[[Document], dict[str, Any]]] = {
    "PDF_METADATA": lambda document: json.loads(metadata_of(document)),
    "PDF_OUTLINE": outline_of,
    "PDF_TEXT": text_of,
}


def folded(said: str) -> str:
    return re.sub(r"\s+", " ", said).strip()


def lines(answer: Mapping[str, Any]) -> list[str]:
    return [line for item in answer["items"] for each in item["text"].split("\n") if (line := folded(each))]


def whole(answer: Mapping[str, Any]) -> str:
    return "\n".join(item["text"] for item in answer["items"])


def dig(answer: Any, path: str) -> Any:
    for part in path.split("."):
        answer = answer.get(part) if isinstance(answer, dict) else None
    return answer


def entries(answer: Mapping[str, Any]) -> list[list[Any]]:
    return [[each["level"], each["title"], each["page"]] for each in answer["entries"]]


def admits_doubt(answer: Mapping[str, Any]) -> bool:
    return bool(answer["failures"]) or "\ufffd" in whole(answer) or any(i["confidence"] < 1 for i in answer["items"])


def mentions(answer: Mapping[str, Any], words: list[str]) -> bool:
    said = json.dumps({name: value for name, value in answer.items() if value}, ensure_ascii=False).lower()
    return any(word in said for word in words)


HOLDS: Mapping[str, Callable[[Any, str, Any], bool]] = {
    "reason": lambda answer, _, want: bool(answer["reason"] == want),
    "eq": lambda answer, path, want: bool(dig(answer, path) == want),
    "ne": lambda answer, path, want: bool(dig(answer, path) != want),
    "one_of": lambda answer, path, want: dig(answer, path) in want,
    "entries": lambda answer, _, want: entries(answer) == want,
    "entries_start": lambda answer, _, want: entries(answer)[: len(want)] == want,
    "has_entries": lambda answer, _, want: all(each in [entry[1:] for entry in entries(answer)] for each in want),
    "entries_without": lambda answer, _, want: not any(want in title for _, title, _ in entries(answer)),
    "json_mentions": lambda answer, _, want: mentions(answer, want),
    "admits": lambda answer, _path, _want: admits_doubt(answer),
    "lines": lambda answer, _, want: lines(answer) == want,
    "lines_any": lambda answer, _, want: lines(answer) in want,
    "contains": lambda answer, _, want: folded(want) in folded(whole(answer)),
    "contains_any": lambda answer, _, want: any(each in whole(answer) for each in want),
    "absent": lambda answer, _, want: want not in whole(answer),
    "count": lambda answer, _, want: whole(answer).count(want[1]) == want[0],
}


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case["file"], marks=[pytest.mark.xfail] if case["file"] in FALL_SHORT else [])
        for case in CASES
    ],
)
def test_a_case_is_read_as_people_read_it(case: dict[str, Any]) -> None:
    for check in case["checks"]:
        try:
            answer = VIEWS[check["call"]](open_path(FOLDER / case["file"]))
        except PapermeshError as error:
            answer = error.details
        assert HOLDS[check["op"]](answer, check["path"], check["want"]), answer


async def test_a_confined_worker_reads_what_an_open_one_does(
    make_pool: Callable[..., AbstractAsyncContextManager[WorkerPool]], subject: Callable[[Path], Subject]
) -> None:
    """It can load nothing when a document asks for it: no module, no codec, no file."""
    asked = {(case["file"], check["call"]) for case in CASES for check in case["checks"] if check["op"] != "reason"}
    async with make_pool(2) as pool:
        questions = Questions(pool, in_call=150, in_part=32)
        for name, call in sorted(asked):
            path = FOLDER / name
            if call == "PDF_METADATA":
                answer = json.loads(await questions.metadata(subject(path), 30))
                answer["sha256"] = "ab" * 32
            elif call == "PDF_OUTLINE":
                answer = json.loads(await questions.outline(subject(path), 30))
            else:
                answer = json.loads(await questions.text(subject(path), "", 30))
            assert answer == VIEWS[call](open_path(path)), name
        assert pool.restarts == {}
