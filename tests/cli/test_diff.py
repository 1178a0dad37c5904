"""diff, against an adapter over real HTTP."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

Run = Callable[..., Result]
Compare = Callable[..., Result]

NO_SIDE: dict[str, Any] = {"text": "", "regions": [], "inner": [], "before": "", "after": ""}


def side(text: str, page: int) -> dict[str, Any]:
    return {**NO_SIDE, "text": text, "regions": [{"page": page, "bbox": [], "span": {"start": 0, "end": 1}}]}


def change(n: int, op: str, left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    address = {"left": "제12조 ②", "right": "제12조 ②", "path": ["제3장 운영", "제12조(연차휴가)"], "cell": None}
    said = {"kind": "text", "class": "number", "derived": False, "cause": "", "uncertain": False, "confidence": 1.0}
    where = {"inside": "", "address": address, "left": left, "right": right}
    return {"id": f"c-{n}", "n": n, "op": op, **said, **where}


@pytest.fixture
def compared() -> dict[str, Any]:
    """What PDF_DIFF answers."""
    document = {"sha256": "0" * 64, "pages": 3, "pages_compared": 3, "unreadable": [], "ocr_pages": []}
    changes = [
        change(1, "modify", side("15일", 3), side("20일", 3)),
        change(2, "insert", {**NO_SIDE, "gap": {"page": 2}}, side("=새 문장", 2)),
    ]
    summary = {"changes": 2, "derived": 0, "uncertain": 0, "furniture": 0, "warnings": 0}
    return {
        "message": "Nothing else changed: 9 words compared.",
        "relation": "revision",
        "complete": True,
        "truncated": False,
        "left": document,
        "right": document,
        "summary": summary,
        "changes": changes,
        "warnings": [],
    }


@pytest.fixture
def compare(papermesh: Run, pdf: Path, other_pdf: Path) -> Compare:
    """Runs `papermesh diff` on two documents."""
    return lambda *words: papermesh("diff", str(pdf), str(other_pdf), *words)


def test_changes_are_listed_under_their_articles(compare: Compare, adapter: Any, compared: dict[str, Any]) -> None:
    adapter.answer = compared
    result = compare("mode=text")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "2 changes. Nothing else changed: 9 words compared.",
        "",
        "제3장 운영 > 제12조(연차휴가)",
        "  ~ p. 3  제12조 ②: 15일 → 20일",
        "  + p. 2  제12조 ②: =새 문장",
    ]
    [call] = adapter.invoked
    assert (call["action"], call["args"]["mode"]) == ("PDF_DIFF", "text")


def test_what_follows_other_changes_is_listed_for_whoever_asks(
    compare: Compare, adapter: Any, compared: dict[str, Any]
) -> None:
    compared["changes"].append({**change(3, "modify", side("제7조", 3), side("제8조", 3)), "derived": True})
    compared["summary"] |= {"derived": 1}
    adapter.answer = compared
    result, all_of_it = compare(), compare("--derived")
    assert result.stdout.startswith("2 changes, 1 derived. ")
    assert "제8조" not in result.stdout
    assert "--derived" in result.stderr
    assert "제7조 → 제8조  (derived)" in all_of_it.stdout


def test_a_change_of_looks_says_which(compare: Compare, adapter: Any, compared: dict[str, Any]) -> None:
    looks = {"bold": [False, True], "italic": [True, False], "size": [10.0, 14.0], "font": []}
    compared["changes"] = [{**change(1, "format", side("휴가", 1), side("휴가", 1)), "format": looks}]
    adapter.answer = compared
    assert "“휴가” bold, no longer italic, size 10.0 → 14.0 pt" in compare().stdout


def test_a_spreadsheet_takes_no_text_for_a_formula(
    compare: Compare, adapter: Any, compared: dict[str, Any], tmp_path: Path
) -> None:
    adapter.answer = compared
    assert compare("--csv", str(tmp_path / "a.csv")).exit_code == 0
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["left"], first["right"], first["right page"]) == ("15일", "20일", "3")
    assert second["right"] == "'=새 문장"


@pytest.mark.parametrize(
    ("differs", "exit_code"),
    [
        ({}, 1),
        ({"summary": {"changes": 0, "uncertain": 0, "furniture": 0}}, 0),
        ({"summary": {"changes": 0, "uncertain": 1, "furniture": 0}}, 1),
        ({"summary": {"changes": 0, "uncertain": 0, "furniture": 0}, "complete": False}, 2),
        ({"summary": {"changes": 0, "uncertain": 0, "furniture": 0}, "relation": "different"}, 1),
    ],
    ids=["changes", "none", "uncertain", "pages unread", "another document"],
)
def test_a_job_can_hold_a_document_by_the_exit_code(
    compare: Compare, adapter: Any, compared: dict[str, Any], differs: dict[str, Any], exit_code: int
) -> None:
    adapter.answer = compared | differs
    assert compare("--fail-on-changes").exit_code == exit_code
    assert compare().exit_code == 0


def test_a_comparison_that_failed_is_no_change(compare: Compare, adapter: Any) -> None:
    adapter.answer = (400, {"code": "BAD_ARG", "message": "The document is encrypted."})
    assert compare("--fail-on-changes").exit_code == 2
    assert compare().exit_code == 1


def test_one_document_is_not_enough(papermesh: Run, adapter: Any, pdf: Path) -> None:
    del adapter
    result = papermesh("diff", str(pdf))
    assert (result.exit_code, "Name two documents" in result.stderr) == (2, True)


def test_the_json_is_the_answer(compare: Compare, adapter: Any, compared: dict[str, Any]) -> None:
    adapter.answer = compared
    assert json.loads(compare("--json").stdout)["data"] == compared


@pytest.mark.parametrize("extension", ["html", "xlsx", "pdf"])
def test_the_report_is_written_to_a_file(
    compare: Compare, adapter: Any, compared: dict[str, Any], tmp_path: Path, extension: str
) -> None:
    adapter.answer = compared | {"report_id": "rep_x", "report_url": "/reports/rep_x"}
    adapter.reports["rep_x" if extension == "html" else f"rep_x.{extension}"] = b"report"
    result = compare(f"--{extension}", str(tmp_path / "file"))
    assert result.exit_code == 0
    assert (tmp_path / "file").read_bytes() == b"report"
    assert "제3장 운영" in result.stdout


def test_a_report_that_fails_leaves_no_file(
    compare: Compare, adapter: Any, compared: dict[str, Any], tmp_path: Path
) -> None:
    adapter.answer = compared | {"report_id": "rep_x", "report_url": "/reports/rep_x"}
    assert compare("--html", str(tmp_path / "file")).exit_code == 1
    assert not (tmp_path / "file").exists()


def test_documents_with_a_password_have_no_report(
    compare: Compare, adapter: Any, compared: dict[str, Any], tmp_path: Path
) -> None:
    adapter.answer = compared | {"report_id": "", "report_url": ""}
    result = compare("--xlsx", str(tmp_path / "file"))
    assert (result.exit_code, "There is no report" in result.stderr) == (2, True)
