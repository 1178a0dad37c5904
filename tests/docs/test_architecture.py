"""The tables of docs/architecture.md name files and folders that there are."""

import re
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
TABLES = [line for line in PAGE.splitlines() if line.startswith("|")]
SECTION = PAGE.partition("## Where a change goes")[2].partition("\n## ")[0]
CHANGES = [line for line in SECTION.splitlines() if line.startswith("|")]


def paths(line: str) -> Iterator[str]:
    """The paths that a line names. One without a folder lies beside the one before it."""
    beside = ""
    for path in re.findall(r"`([\w./-]+/[\w./-]*|\w+\.(?:py|lua))`", line):
        if "/" in path:
            beside = path.rpartition("/")[0]
            yield path
        elif beside:
            yield f"{beside}/{path}"


@pytest.mark.parametrize("path", sorted({path for line in TABLES for path in paths(line)}))
def test_every_path_is_there(path: str) -> None:
    assert (ROOT / path).is_dir() if path.endswith("/") else (ROOT / path).is_file()


def test_at_least_fifteen_changes_have_their_place() -> None:
    rows = CHANGES[2:]
    assert len(rows) >= 15
    for row in rows:
        assert [*paths(row), *re.findall(r"\]\(([\w./-]+)", row)], f"this row names no place: {row}"


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([\w./-]+\.md)", "\n".join(CHANGES)))))
def test_the_pages_to_keep_true_are_there(link: str) -> None:
    assert (ROOT / "docs" / link).is_file()
