import threading
from pathlib import Path

import pytest

from services.base.signature import decode_secret, read_key_file
from trust import clients_file
from trust.clients_file import ListingError

SECRET = "A" * 43


@pytest.fixture
def listing(tmp_path: Path) -> Path:
    path = tmp_path / "clients.json"
    clients_file.write(path, [{"id": "reports", "keys": [{"id": "k1", "secret": SECRET}], "actions": ["PDF_*"]}])
    return path


def test_a_key_is_32_random_bytes_with_an_id_of_its_own() -> None:
    keys = [clients_file.new_key() for _ in range(100)]
    assert len({key["id"] for key in keys}) == len({key["secret"] for key in keys}) == 100
    assert {len(decode_secret(key["secret"])) for key in keys} == {32}


def test_entries_are_kept_as_they_are_whatever_they_say(listing: Path) -> None:
    with clients_file.changing(listing) as entries:
        entries[0]["a field of a later version"] = {"김": [1, 2.5, None]}
    with clients_file.changing(listing) as entries:
        entries[0]["keys"].append(clients_file.new_key())
    (entry,) = clients_file.read(listing)
    assert entry["a field of a later version"] == {"김": [1, 2.5, None]}
    assert [len(entry["keys"]), entry["actions"]] == [2, ["PDF_*"]]


def test_a_change_that_fails_changes_nothing(listing: Path) -> None:
    before = listing.read_bytes()

    def fail() -> None:
        with clients_file.changing(listing) as entries:
            entries.clear()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert listing.read_bytes() == before


def test_changes_at_the_same_time_are_all_made(listing: Path) -> None:
    def add(number: int) -> None:
        with clients_file.changing(listing) as entries:
            entries.append({"id": f"c{number}", "keys": [clients_file.new_key()]})

    threads = [threading.Thread(target=add, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {entry["id"] for entry in clients_file.read(listing)} == {"reports", *(f"c{number}" for number in range(20))}


def test_a_client_is_found_by_its_id(listing: Path) -> None:
    entries = clients_file.read(listing)
    assert clients_file.find(entries, "reports") is entries[0]
    with pytest.raises(ListingError, match=r"There is no client nobody\. The clients are reports\."):
        clients_file.find(entries, "nobody")


def test_a_key_file_is_what_its_client_reads(tmp_path: Path) -> None:
    key = clients_file.new_key()
    clients_file.write_key_file(tmp_path / "reports.json", "reports", key)
    read = read_key_file(tmp_path / "reports.json")
    assert (read.client, read.key_id, read.secret) == ("reports", key["id"], decode_secret(key["secret"]))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"clients": 3}',
        '{"clients": [3]}',
        '{"clients": [{"id": "a"}]}',
        '{"clients": [{"id": "a", "keys": []}]}',
        '{"clients": [{"id": "a", "keys": [{"id": "k"}]}]}',
        '{"clients": [{"id": 1, "keys": [{"id": "k", "secret": "s3cr3t"}]}]}',
        '{"clients": [{"keys": [{"id": "k", "secret": "s3cr3t"}]}]}',
        '{"clients": [{"id": "a", "keys": [{"id": "k", "secret": "s3cr3t"}]}',
    ],
)
def test_a_file_that_is_no_list_of_clients_is_named_and_left_as_it_is(listing: Path, content: str) -> None:
    listing.write_text(content)
    with (
        pytest.raises(ListingError, match=r"clients\.json is not a list of clients") as caught,
        clients_file.changing(listing),
    ):
        pass
    assert "s3cr3t" not in str(caught.value)
    assert listing.read_text() == content


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "clients.json", tmp_path / "none" / "clients.json"):
        with (
            pytest.raises(ListingError, match=r"clients\.json cannot be read: No such file"),
            clients_file.changing(path),
        ):
            pass


def test_a_file_that_everybody_can_read_is_refused_with_the_way_out(listing: Path) -> None:
    listing.chmod(0o644)
    with pytest.raises(ListingError, match="chmod o="):
        clients_file.read(listing)


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "clients.json").mkdir()
    with pytest.raises(ListingError, match=r"clients\.json cannot be written: "):
        clients_file.write(tmp_path / "clients.json", [])
