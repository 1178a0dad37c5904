"""keys add, keys list, keys remove."""

import json
import re
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import Result

from mcp_adapter.people.api_keys import digest
from mcp_adapter.people.api_keys_file import read_api_keys

Run = Callable[..., Result]


@pytest.fixture
def file(environment: dict[str, str | None]) -> Path:
    return Path(environment["PAPERMESH_VAR"] or "", "secrets", "api-keys.json")


def test_a_key_is_printed_once_and_kept_by_its_hash(papermesh: Run, file: Path) -> None:
    result = papermesh("keys", "add", "ada@example.com")
    key = result.stdout.strip()
    assert (result.exit_code, bool(re.fullmatch(r"pm_[A-Za-z0-9_-]{43}", key))) == (0, True)
    kept = read_api_keys(file)[digest(key)]
    assert (kept.actor, kept.expires) == ("ada@example.com", None)
    assert kept.key_id in result.stderr
    assert key not in result.stderr + file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_file_is_the_one_that_the_adapter_reads(papermesh: Run, tmp_path: Path) -> None:
    named, given = tmp_path / "named.json", tmp_path / "given.json"
    assert papermesh("keys", "add", "ada", PAPERMESH_API_KEYS_FILE=str(named)).exit_code == 0
    assert papermesh("keys", "add", "bob", "--file", str(given), PAPERMESH_API_KEYS_FILE=str(named)).exit_code == 0
    assert [json.loads(each.read_text())["keys"][0]["actor"] for each in (named, given)] == ["ada", "bob"]


def test_a_key_may_end_after_some_days_or_with_a_day(papermesh: Run, file: Path) -> None:
    now = datetime.now(UTC)
    papermesh("keys", "add", "ada", "--expires", "90d")
    papermesh("keys", "add", "ada", "--expires", f"{now:%Y-%m-%d}")
    papermesh("keys", "add", "ada", "--expires", "2099-01-31")
    first, second, third = [key.expires for key in read_api_keys(file).values()]
    assert first is not None
    assert second is not None
    assert abs(first - now - timedelta(days=90)) < timedelta(minutes=5)
    assert now < second <= now + timedelta(days=1, minutes=5)
    assert third == datetime(2099, 2, 1, tzinfo=UTC)


@pytest.mark.parametrize("when", ["", "0d", "-1d", "soon", "2020-01-01", "2027-02-30", "99999999d", "2027-01-01T00:00"])
def test_a_key_cannot_end_at_another_time(papermesh: Run, file: Path, when: str) -> None:
    assert papermesh("keys", "add", "ada", "--expires", when).exit_code == 2
    assert not file.exists()


@pytest.mark.parametrize("actor", ["", " ada", "a\nb", "x" * 257])
def test_what_names_nobody_gets_no_key(papermesh: Run, file: Path, actor: str) -> None:
    assert papermesh("keys", "add", actor).exit_code == 2
    assert not file.exists()


def test_the_list_shows_whose_keys_there_are_and_none_of_them(papermesh: Run, file: Path) -> None:
    added = [papermesh("keys", "add", *words).stdout.strip() for words in (["ada"], ["홍길동", "--expires", "1d"])]
    result = papermesh("keys", "list")
    assert result.exit_code == 0
    assert re.search(r"k-[0-9a-f]{8} +ada +until it is removed", result.stdout)
    assert re.search(r"k-[0-9a-f]{8} +홍길동 +until 20", result.stdout)
    for key, kept in zip(added, read_api_keys(file).values(), strict=True):
        assert key not in result.stdout
        assert kept.sha256.hex() not in result.stdout


def test_a_removed_key_is_gone_and_the_others_stay(papermesh: Run, file: Path) -> None:
    for _ in range(2):
        papermesh("keys", "add", "ada")
    first, second = [key.key_id for key in read_api_keys(file).values()]
    assert papermesh("keys", "remove", first).exit_code == 0
    assert [key.key_id for key in read_api_keys(file).values()] == [second]
    assert papermesh("keys", "remove", first).exit_code == 2


@pytest.mark.parametrize("words", [["list"], ["remove", "k-1"]])
def test_without_a_file_it_is_said_how_one_is_made(papermesh: Run, file: Path, words: list[str]) -> None:
    result = papermesh("keys", *words)
    assert result.exit_code == 2
    assert "`papermesh keys add` creates it" in " ".join(result.stderr.split())
    assert not file.exists()


def test_a_file_that_is_wrong_is_left_as_it_is(papermesh: Run, file: Path) -> None:
    papermesh("keys", "add", "ada")
    file.write_text("{")
    assert papermesh("keys", "add", "bob").exit_code == 2
    assert file.read_text() == "{"
