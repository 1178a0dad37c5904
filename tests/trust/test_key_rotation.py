import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from services.base.signature import KeyFileError, read_key_file
from trust import clients_file, key_rotation
from trust.clients_file import ListingError
from trust.key_rotation import RotationError


class Client:
    """A client in a folder: its entry, and its key file."""

    def __init__(self, folder: Path) -> None:
        self.listing = folder / "clients.json"
        self.key_file = folder / "reports.json"
        first = clients_file.new_key()
        clients_file.write(
            self.listing,
            [{"id": "adapter", "keys": [clients_file.new_key()]}, {"id": "reports", "keys": [first], "actions": ["*"]}],
        )
        clients_file.write_key_file(self.key_file, "reports", first)

    @property
    def good(self) -> list[str]:
        """The ids of the keys that dispatch takes."""
        entry = clients_file.find(clients_file.read(self.listing), "reports")
        return [key["id"] for key in entry["keys"]]

    @property
    def used(self) -> str:
        """The id of the key that the client signs with."""
        return read_key_file(self.key_file).key_id

    def begin(self, settle_s: float = 0) -> str:
        return key_rotation.begin(self.listing, "reports", self.key_file, settle_s)

    def finish(self, settle_s: float = 0) -> list[str]:
        return key_rotation.finish(self.listing, "reports", self.key_file, settle_s)


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return Client(tmp_path)


def test_a_rotation_ends_with_another_key_and_touches_nothing_else(client: Client) -> None:
    (first,) = client.good
    others = clients_file.read(client.listing)[0]
    new = client.begin()
    assert client.good == [first, new]
    assert client.used == new
    assert client.finish() == [first]
    assert client.good == [new]
    assert clients_file.read(client.listing)[0] == others
    assert clients_file.read(client.listing)[1]["actions"] == ["*"]


def test_the_key_that_the_client_uses_is_good_at_every_moment(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    replace = clients_file.replace_private

    def watched(path: Path, content: bytes) -> None:
        replace(path, content)
        written.append(path.name)
        assert client.used in client.good

    monkeypatch.setattr(clients_file, "replace_private", watched)
    for _ in range(3):
        client.begin()
        client.finish()
    assert written == ["clients.json", "reports.json", "clients.json"] * 3


def test_dispatch_has_time_to_read_its_file_before_the_client_signs_with_the_new_key(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first,) = client.good
    seen: list[tuple[int, str, float]] = []
    monkeypatch.setattr(time, "sleep", lambda seconds: seen.append((len(client.good), client.used, seconds)))
    client.begin(settle_s=7)
    assert seen == [(2, first, 7)]


def test_the_client_has_time_to_read_its_file_before_the_old_key_is_taken_away(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.begin()
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    os.utime(client.key_file, (time.time() - 3, time.time() - 3))
    client.finish(settle_s=7)
    assert 3.5 < slept[0] <= 4.5
    os.utime(client.key_file, (time.time() - 60, time.time() - 60))
    client.finish(settle_s=7)
    assert slept[1] == 0


def crash(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_rotation_that_was_interrupted_goes_on_with_the_same_key(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first,) = client.good
    with monkeypatch.context() as patch:
        patch.setattr(time, "sleep", crash)
        with pytest.raises(KeyboardInterrupt):
            client.begin()
    assert (len(client.good), client.used) == (2, first)
    with pytest.raises(RotationError, match="does not hold the newest key"):
        client.finish()
    begun = client.good[-1]
    assert client.begin() == begun
    assert client.good == [first, begun]
    assert client.finish() == [first]


def test_a_second_rotation_waits_for_the_end_of_the_first(client: Client) -> None:
    client.begin()
    with pytest.raises(RotationError, match="has two keys already"):
        client.begin()
    assert len(client.good) == 2


def test_finishing_twice_does_nothing(client: Client) -> None:
    client.begin()
    assert client.finish()
    assert client.finish() == []


def test_a_client_whose_key_file_is_elsewhere_gets_one(client: Client) -> None:
    client.key_file.unlink()
    assert client.begin() == client.used
    assert client.finish()


def test_nothing_is_taken_away_while_nobody_can_tell_which_key_is_used(client: Client) -> None:
    client.begin()
    client.key_file.unlink()
    with pytest.raises(RotationError, match="does not hold the newest key"):
        client.finish()
    assert len(client.good) == 2


@pytest.mark.parametrize("step", [Client.begin, Client.finish])
def test_another_client_s_key_file_is_refused(client: Client, step: Callable[[Client], object]) -> None:
    clients_file.write_key_file(client.key_file, "adapter", clients_file.new_key())
    before = client.listing.read_bytes()
    with pytest.raises(ListingError, match="is the key file of adapter, not of reports"):
        step(client)
    assert client.listing.read_bytes() == before


@pytest.mark.parametrize("step", [Client.begin, Client.finish])
def test_a_key_file_that_is_broken_is_named(client: Client, step: Callable[[Client], object]) -> None:
    client.key_file.write_text('{"secret": "s3cr3t"}')
    with pytest.raises(KeyFileError, match=r"reports\.json needs client, key_id and secret") as caught:
        step(client)
    assert "s3cr3t" not in str(caught.value)


def test_a_client_that_there_is_not_is_named(client: Client) -> None:
    with pytest.raises(ListingError, match="There is no client nobody"):
        key_rotation.begin(client.listing, "nobody", client.key_file, 0)
