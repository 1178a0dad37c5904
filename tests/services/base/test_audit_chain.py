import hmac
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from services.base import audit_chain
from services.base.audit_chain import Chain, Head
from services.base.signature import KeyFileError
from tests.support.audit_logs import key_of, write_key

NAME = "dispatch-20250823T120000Z-0123abcd"


def test_a_line_is_json_that_ends_with_its_mac(tmp_path: Path) -> None:
    chain = Chain(NAME, key_of(tmp_path))
    first, second = chain.seal({"kind": "start"}), chain.seal({"kind": "call", "actor": '김 "k"\n'})

    for number, raw in enumerate((first, second), 1):
        assert raw.count(b"\n") == 1
        fields = json.loads(raw)
        assert (fields["chain"], fields["n"]) == (NAME, number)
        assert list(fields)[-1] == "mac"
    assert json.loads(second)["actor"] == '김 "k"\n'


def test_the_mac_is_what_the_documents_say(tmp_path: Path) -> None:
    secret = HKDF(hashes.SHA256(), 32, salt=None, info=b"papermesh audit v1 chain").derive(bytes(32))
    chain = Chain(NAME, key_of(tmp_path))
    before = bytes(32)
    for number in (1, 2):
        raw = chain.seal({"kind": "call", "code": "OK"})
        body = b'{"chain":"%b","n":%d,"kind":"call","code":"OK"}' % (NAME.encode(), number)
        before = hmac.digest(secret, before + body, "sha256")
        assert raw == body[:-1] + b',"mac":"' + before.hex().encode() + b'"}\n'


def test_what_cannot_be_a_line_leaves_the_chain_as_it_was(tmp_path: Path) -> None:
    chain = Chain(NAME, key_of(tmp_path))
    chain.seal({})
    before = (chain.n, chain.mac)
    with pytest.raises(TypeError):
        chain.seal({"actor": object()})
    assert (chain.n, chain.mac) == before


@given(st.binary(max_size=200))
def test_bytes_that_are_no_line_are_none(raw: bytes) -> None:
    assert audit_chain.parse(raw) is None


@pytest.mark.parametrize("body", ["[]", "3", "null", '"n"', '{"n":1}', '{"chain":"x"}', '{"chain":1,"n":1}'])
@pytest.mark.parametrize("n", ["0", "-1", "true", "1.0", '"1"'])
def test_json_without_a_chain_and_a_number_is_no_line(body: str, n: str) -> None:
    mac = ',"mac":"' + "0" * 64 + '"}'
    assert audit_chain.parse((body[:-1] + mac).encode()) is None
    assert audit_chain.parse(('{"chain":"x","n":' + n + mac).encode()) is None


@given(st.integers(1, 10**18), st.binary(min_size=32, max_size=32))
def test_a_head_is_read_as_it_was_written(n: int, mac: bytes) -> None:
    assert Head.parse(str(Head(n, mac))) == Head(n, mac)


@pytest.mark.parametrize("text", ["", "1", "0 " + "0" * 64, "1 " + "0" * 63, "1  " + "0" * 64, "-1 " + "0" * 64])
def test_anything_else_is_no_head(text: str) -> None:
    with pytest.raises(ValueError, match="is not the head"):
        Head.parse(text)


def test_the_chain_and_the_arguments_have_keys_of_their_own(tmp_path: Path) -> None:
    key = key_of(tmp_path)
    assert len({key.chain, key.arguments, bytes(32)}) == 3
    assert len(key.chain) == len(key.arguments) == 32


def test_a_key_is_not_shown(tmp_path: Path) -> None:
    key = key_of(tmp_path)
    assert repr(key) == "AuditKey(id='k1')"


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"key_id": "k1"}', '{"key_id": "k1", "secret": "short"}', '{"key_id": "k1", "secret": 5}'],
)
def test_a_malformed_key_file_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "audit.json"
    file.write_text(content)
    file.chmod(0o600)
    with pytest.raises(KeyFileError, match=r"audit\.json needs key_id and secret") as error:
        audit_chain.read_key(file)
    assert "short" not in str(error.value)


@pytest.mark.parametrize("key_id", ["", "two words", "k" * 65, "k\n"])
def test_a_key_s_id_is_a_plain_word(tmp_path: Path, key_id: str) -> None:
    with pytest.raises(KeyFileError, match="key_id must be"):
        audit_chain.read_key(write_key(tmp_path / "audit.json", key_id=key_id))


def test_a_key_that_everybody_can_read_is_refused(tmp_path: Path) -> None:
    file = write_key(tmp_path / "audit.json")
    file.chmod(0o604)
    with pytest.raises(KeyFileError, match="everybody"):
        audit_chain.read_key(file)


def test_a_key_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match=r"audit\.json: No such file"):
        audit_chain.read_key(tmp_path / "audit.json")
