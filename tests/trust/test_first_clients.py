import json

import pytest

from trust import clients_file, first_clients

LISTED = [{"id": "adapter", "keys": [{"id": "old", "secret": "A" * 43}, {"id": "new", "secret": "B" * 42 + "A"}]}]


def test_a_file_with_any_of_the_listed_keys_stays() -> None:
    for key in LISTED[0]["keys"]:
        assert first_clients.new_key_file(LISTED, "adapter", clients_file.key_file("adapter", dict(key))) is None


def test_a_key_is_the_same_with_its_padding_or_without() -> None:
    padded = json.dumps({"client": "adapter", "key_id": "whatever it was called", "secret": "A" * 43 + "="})
    assert first_clients.new_key_file(LISTED, "adapter", padded.encode()) is None


@pytest.mark.parametrize(
    "held",
    [
        None,
        b"",
        b"[]",
        b'{"client": "adapter", "secret": 7}',
        clients_file.key_file("adapter", {"id": "old", "secret": "C" * 42 + "A"}),
        clients_file.key_file("operator", {"id": "old", "secret": "A" * 43}),
    ],
    ids=["none", "empty", "list", "number", "unknown", "another's"],
)
def test_any_other_is_written_anew_with_the_newest(held: bytes | None) -> None:
    new = first_clients.new_key_file(LISTED, "adapter", held)
    assert new is not None
    assert json.loads(new) == {"client": "adapter", "key_id": "new", "secret": "B" * 42 + "A"}


def test_a_client_that_is_not_listed_gets_none() -> None:
    assert first_clients.new_key_file(LISTED, "operator", None) is None
