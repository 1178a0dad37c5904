"""search, against an adapter over real HTTP."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

Run = Callable[..., Result]


@pytest.fixture
def found() -> dict[str, Any]:
    """What PDF_SEARCH answers."""
    hit = {"page": 3, "before": "whoever takes ", "text": "annual leave", "after": " asks", "boxes": [], "hidden": ""}
    return {
        "hits": [
            {**hit, "heading_path": ["1. Leave", "1.2 Kinds"], "score": 1.0},
            {**hit, "page": 4, "heading_path": []},
        ],
        "total": 7,
        "total_is_least": False,
        "next_page_token": "5.1",
        "searched_pages": "1-9",
        "pages": 9,
        "failures": [{"page": 8, "reason": "SCAN", "message": "The page is a picture."}],
    }


def test_hits_are_shown_one_a_line(papermesh: Run, adapter: Any, pdf: Path, found: dict[str, Any]) -> None:
    adapter.answer = found
    result = papermesh("search", "annual leave", str(pdf), "max_hits=2")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "3: whoever takes annual leave asks  [1. Leave > 1.2 Kinds]",
        "4: whoever takes annual leave asks",
    ]
    assert "The page is a picture." in result.stderr
    assert "2 of 7 hits on pages 1-9; for more: page_token=5.1" in result.stderr
    [call] = adapter.invoked
    assert call["action"] == "PDF_SEARCH"
    assert (call["args"]["query"], call["args"]["max_hits"], "mode" in call["args"]) == ("annual leave", 2, False)


def test_an_expression_is_asked_for_as_one(papermesh: Run, adapter: Any, pdf: Path, found: dict[str, Any]) -> None:
    adapter.answer = {**found, "hits": [], "total": 100_000, "total_is_least": True, "next_page_token": ""}
    result = papermesh("search", "--regex", r"\d+", str(pdf))
    assert adapter.invoked[0]["args"]["mode"] == "regex"
    assert "0 of at least 100000 hits on pages 1-9\n" in result.stderr


def test_control_characters_of_a_document_are_not_obeyed(
    papermesh: Run, adapter: Any, pdf: Path, found: dict[str, Any]
) -> None:
    found["hits"] = [{**found["hits"][0], "text": "a\x1b[2Jb"}]
    adapter.answer = found
    assert "\x1b" not in papermesh("search", "a", str(pdf)).stdout


def test_as_json_the_answer_is_printed_alone(papermesh: Run, adapter: Any, pdf: Path, found: dict[str, Any]) -> None:
    adapter.answer = found
    assert papermesh("search", "a", str(pdf), "--json").stdout == adapter.text + "\n"
