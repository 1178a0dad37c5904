"""image and documents, against an adapter over real HTTP."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

Run = Callable[..., Result]


@pytest.fixture
def made() -> dict[str, Any]:
    """What PDF_PAGE_IMAGE answers."""
    picture = {"url": "/images/img_x", "image_id": "img_x", "format": "png", "page": 3, "dpi": 100, "size": 7}
    return {**picture, "width": 827, "height": 1170, "base64": base64.b64encode(b"picture").decode()}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_page_is_drawn_into_a_file(
    papermesh: Run, adapter: Any, pdf: Path, tmp_path: Path, made: dict[str, Any]
) -> None:
    adapter.answer = made
    result = papermesh("image", str(pdf), "page=3", "dpi=100")
    assert result.exit_code == 0
    assert (tmp_path / "page-3.png").read_bytes() == b"picture"
    assert "page-3.png: page 3, 827 x 1170 pixels, 7 bytes" in result.stderr
    [call] = adapter.invoked
    assert call["action"] == "PDF_PAGE_IMAGE"
    assert (call["args"]["page"], call["args"]["dpi"], call["args"]["inline"]) == (3, 100, True)


def test_one_that_did_not_come_along_is_fetched(
    papermesh: Run, adapter: Any, pdf: Path, tmp_path: Path, made: dict[str, Any]
) -> None:
    adapter.answer, adapter.images["img_x"] = {**made, "base64": ""}, b"fetched"
    assert papermesh("image", str(pdf), "-o", "a.png").exit_code == 0
    assert (tmp_path / "a.png").read_bytes() == b"fetched"


def test_one_that_cannot_be_fetched_leaves_the_file_alone(
    papermesh: Run, adapter: Any, pdf: Path, tmp_path: Path, made: dict[str, Any]
) -> None:
    (tmp_path / "a.png").write_bytes(b"before")
    adapter.answer = {**made, "base64": ""}
    result = papermesh("image", str(pdf), "-o", "a.png")
    assert (result.exit_code, "NOT_FOUND: There is no such picture." in result.stderr) == (1, True)
    assert (tmp_path / "a.png").read_bytes() == b"before"


def test_a_file_that_cannot_be_written_is_named(papermesh: Run, adapter: Any, pdf: Path, made: dict[str, Any]) -> None:
    adapter.answer = made
    result = papermesh("image", str(pdf), "-o", "nowhere/a.png")
    assert (result.exit_code, "nowhere/a.png: No such file" in result.stderr) == (2, True)


def test_as_json_the_answer_is_printed_too(papermesh: Run, adapter: Any, pdf: Path, made: dict[str, Any]) -> None:
    adapter.answer = made
    assert papermesh("image", str(pdf), "--json").stdout == adapter.text + "\n"


def test_documents_are_listed_page_by_page(papermesh: Run, adapter: Any) -> None:
    adapter.documents.update({"a" * 64: b"", "b" * 64: b""})
    result = papermesh("documents")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()[2:]] == ["a" * 64, "b" * 64]
    assert "2026-11-29 00:00" in result.stdout
    assert "2 documents; times are UTC" in result.stderr


def test_documents_come_as_json(papermesh: Run, adapter: Any) -> None:
    adapter.documents["a" * 64] = b""
    [listed] = json.loads(papermesh("documents", "--json").stdout)
    assert listed["doc_ref"] == {"type": "UPLOAD", "sha256": "a" * 64}
