"""API keys: whose they are, and the file that lists them."""

import hashlib
import json
import os
import re
import stat
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mcp_adapter.people.api_keys import ApiKeys, digest, new_api_key
from mcp_adapter.people.api_keys_file import ApiKey, changing, read_api_keys
from services.base.errors import Code, PapermeshError
from services.base.signature import KeyFileError

HASH = "ab" * 32


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "api-keys.json"


def add(file: Path, actor: str, expires: datetime | None = None) -> str:
    key = new_api_key()
    with changing(file) as keys:
        keys.append(ApiKey(f"k-{len(keys)}", actor, digest(key), expires))
    return key


def write(file: Path, content: object) -> None:
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    file.chmod(0o600)


async def actor(file: Path, key: str) -> str:
    return await ApiKeys(file).actor(key)


def test_a_key_has_256_random_bits() -> None:
    keys = {new_api_key() for _ in range(1000)}
    assert len(keys) == 1000
    assert all(re.fullmatch(r"pm_[A-Za-z0-9_-]{43}", key) for key in keys)


async def test_a_key_names_its_actor_and_an_actor_may_have_several(file: Path) -> None:
    keys = {add(file, name): name for name in ("ada", "ada", "홍길동")}
    people = ApiKeys(file)
    assert {key: await people.actor(key) for key in keys} == keys


async def test_the_file_holds_no_key(file: Path) -> None:
    key = add(file, "ada")
    assert key not in file.read_text()
    assert key[3:] not in file.read_text()
    assert hashlib.sha256(key.encode()).hexdigest() in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("change", [lambda key: key[:-1], lambda key: key.upper(), lambda key: key[3:], digest, str])
async def test_what_is_not_the_key_is_nobodys(file: Path, change: object) -> None:
    key = add(file, "ada")
    other = change(key) if change is not str else new_api_key()  # type: ignore[operator]
    sent = other.hex() if isinstance(other, bytes) else other
    with pytest.raises(PapermeshError, match="not known") as caught:
        await actor(file, sent)
    assert caught.value.code is Code.UNAUTHENTICATED
    assert sent not in caught.value.message


@pytest.mark.parametrize("chosen", ["password", "pm_", f"pm_{'a' * 42}", f"sk_{'a' * 43}", f"pm_{'a' * 43}\n"])
async def test_what_somebody_chose_is_no_key_though_the_file_lists_its_hash(file: Path, chosen: str) -> None:
    write(file, {"keys": [{"id": "k", "actor": "ada", "sha256": digest(chosen).hex()}]})
    with pytest.raises(PapermeshError, match="not known"):
        await actor(file, chosen)


async def test_a_key_works_until_it_expires(file: Path) -> None:
    now = datetime.now(UTC)
    assert await actor(file, add(file, "ada", now + timedelta(hours=1))) == "ada"
    with pytest.raises(PapermeshError, match="expired"):
        await actor(file, add(file, "ada", now - timedelta(seconds=1)))


async def test_the_file_is_read_again_when_it_changes(file: Path) -> None:
    first = add(file, "ada")
    people = ApiKeys(file)
    second = add(file, "bob")
    people._file._look()
    assert (await people.actor(first), await people.actor(second)) == ("ada", "bob")
    with changing(file) as keys:
        del keys[0]
    people._file._look()
    with pytest.raises(PapermeshError):
        await people.actor(first)


async def test_a_file_that_becomes_wrong_leaves_the_keys_as_they_were(file: Path) -> None:
    key = add(file, "ada")
    people = ApiKeys(file)
    write(file, "{")
    people._file._look()
    assert await people.actor(key) == "ada"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "JSON"),
        ([], "object"),
        ({}, "keys"),
        ({"keys": [{}]}, r"keys\.0\.id"),
        ({"keys": [], "more": 1}, "more"),
        ({"keys": [{"id": "a", "actor": "ada", "sha256": HASH.upper()}]}, "sha256"),
        ({"keys": [{"id": "a", "actor": "ada", "sha256": HASH, "key": "x"}]}, r"keys\.0\.key"),
        ({"keys": [{"id": "a", "actor": "a\nb", "sha256": HASH}]}, "printable"),
        ({"keys": [{"id": "a", "actor": "", "sha256": HASH}]}, "printable"),
        ({"keys": [{"id": "a", "actor": "ada", "sha256": HASH, "expires": "2027-01-01T00:00:00"}]}, "expires"),
        ({"keys": [{"id": name, "actor": "ada", "sha256": HASH} for name in "ab"]}, "no two keys may share"),
        (
            {"keys": [{"id": "a", "actor": "ada", "sha256": each * 32} for each in ("ab", "cd")]},
            "no two keys may share",
        ),
    ],
)
def test_a_file_that_is_wrong_says_where_and_shows_nothing(file: Path, content: object, says: str) -> None:
    write(file, content)
    with pytest.raises(KeyFileError, match=says) as caught:
        read_api_keys(file)
    assert HASH not in str(caught.value)


def test_a_file_that_everybody_can_read_is_refused(file: Path) -> None:
    add(file, "ada")
    file.chmod(0o644)
    with pytest.raises(KeyFileError, match="everybody on this machine can read it"):
        read_api_keys(file)


def test_a_file_that_is_not_there_says_how_it_is_made(file: Path) -> None:
    with pytest.raises(KeyFileError, match="`papermesh keys add` creates it"):
        read_api_keys(file)


def test_what_is_written_is_what_is_read(file: Path) -> None:
    expires = datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)
    with changing(file) as keys:
        keys += [ApiKey("a", "홍길동", bytes(32), expires), ApiKey("b", "ada", bytes(range(32)), None)]
        expected = list(keys)
    assert list(read_api_keys(file).values()) == expected


def test_two_that_change_the_file_at_once_lose_nothing(file: Path) -> None:
    def add_ten(name: str) -> None:
        for number in range(10):
            with changing(file) as keys:
                keys.append(ApiKey(f"{name}{number}", name, digest(new_api_key()), None))

    threads = [threading.Thread(target=add_ten, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_api_keys(file)) == 40
    assert os.listdir(file.parent) == [file.name]  # noqa: PTH208 - hidden leftovers would count


def test_a_change_that_fails_changes_nothing(file: Path) -> None:
    add(file, "ada")
    before = file.read_bytes()
    with suppress(ZeroDivisionError), changing(file) as keys:
        keys.clear()
        raise ZeroDivisionError
    assert file.read_bytes() == before


def test_a_group_that_could_read_the_file_still_can(file: Path) -> None:
    add(file, "ada")
    file.chmod(0o640)
    add(file, "bob")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
