"""The key that the adapter signs with is exchanged while it runs."""

from pathlib import Path

import httpx
import pytest

from mcp_adapter.app import create_app
from mcp_adapter.settings import AdapterSettings
from services.base.signature import Key, KeyFileError
from tests.mcp_adapter.conftest import KEY, Dispatch, until, write_key
from trust.certificates import ensure

OTHER = Key("adapter", "k2", bytes(range(32, 64)))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "adapter.json"


async def call(client: httpx.AsyncClient) -> bool:
    return (await client.post("/mcp/invoke", json={"action": "PDF_TEXT"})).is_success


async def test_a_new_key_signs_from_the_moment_that_its_file_changes(
    client: httpx.AsyncClient, dispatch: Dispatch, file: Path
) -> None:
    assert await call(client)
    dispatch.key = OTHER  # knows the new one alone
    assert not await call(client)
    write_key(file, OTHER)
    await until(lambda: call(client))


async def test_a_file_that_becomes_wrong_leaves_the_key_as_it_was(
    client: httpx.AsyncClient, dispatch: Dispatch, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_text("{")

    async def is_told() -> bool:
        return "cannot be used" in caplog.text

    await until(is_told)
    assert await call(client)
    assert dispatch.key == KEY


def test_without_a_key_nothing_starts(tmp_path: Path) -> None:
    ensure(tmp_path, "default", ["adapter"])
    settings = AdapterSettings.read(
        tls_dir=tmp_path / "adapter", audience="test", key_file=tmp_path / "absent.json", spool_dir=tmp_path
    )
    with pytest.raises(KeyFileError, match=r"absent\.json"):
        create_app(settings)
