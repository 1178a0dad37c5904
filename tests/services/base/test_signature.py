import base64
import json
import string
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.base import signature
from services.base.errors import Code, PapermeshError
from services.base.signature import KeyFileError, Signed

KEY = bytes(range(32))
OTHER_KEY = bytes(range(32, 64))
INVOKE = "/papermesh.dispatch.v1.DispatchService/Invoke"
REQUEST = b'{"action":"PDF_TEXT","args":{"pages":"1-3"}}'


def signed_metadata(action: str | None = "PDF_TEXT") -> dict[str, str]:
    return dict(
        signature.sign(client="adapter", secret=KEY, audience="prod", method=INVOKE, request=REQUEST, action=action)
    )


def read(metadata: dict[str, str]) -> Signed:
    return signature.read(metadata.items())


def check(signed: Signed, *keys: bytes, audience: str = "prod", method: str = INVOKE, request: bytes = REQUEST) -> None:
    signature.check_mac(signed, keys or (KEY,), audience=audience, method=method, request=request)


def test_a_signed_call_is_accepted() -> None:
    signed = read(signed_metadata())
    signature.check_clock(signed, datetime.now(UTC))
    check(signed)
    assert (signed.client, signed.action) == ("adapter", "PDF_TEXT")


def test_the_signed_text_is_what_the_documents_say() -> None:
    signed = Signed("adapter", "2025-08-23T12:00:00Z", "n" * 16, "", None)
    text = b"papermesh-v1.prod.2025-08-23T12:00:00Z.nnnnnnnnnnnnnnnn." + INVOKE.encode() + b"." + REQUEST
    mac = signature.hmac.new(KEY, text, "sha256").hexdigest()
    check(replace(signed, mac=mac))


def test_every_call_has_a_nonce_of_its_own() -> None:
    nonces = {signed_metadata()["x-nonce"] for _ in range(100)}
    assert len(nonces) == 100


def test_an_action_is_only_there_when_the_request_has_one() -> None:
    assert "x-action" not in signed_metadata(action=None)
    assert read(signed_metadata(action=None)).action is None


@pytest.mark.parametrize("name", ["x-client", "x-timestamp", "x-nonce", "x-signature"])
def test_a_missing_field_is_refused_and_named(name: str) -> None:
    metadata = signed_metadata()
    del metadata[name]
    with pytest.raises(PapermeshError, match=f"missing: {name}") as caught:
        read(metadata)
    assert caught.value.code is Code.UNAUTHENTICATED


@pytest.mark.parametrize("name", ["x-client", "x-timestamp", "x-nonce", "x-signature", "x-action"])
def test_a_doubled_field_is_refused_and_named(name: str) -> None:
    metadata = signed_metadata()
    with pytest.raises(PapermeshError, match=f"{name} is in the metadata more than once") as caught:
        signature.read([*metadata.items(), (name, metadata[name])])
    assert caught.value.code is Code.UNAUTHENTICATED


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-client", ""),
        ("x-client", "a" * 129),
        ("x-nonce", "a" * 15),
        ("x-nonce", "a" * 65),
        ("x-nonce", "a" * 15 + "."),
        ("x-nonce", "a" * 16 + "\n"),
        ("x-nonce", "é" * 16),
        ("x-signature", "0" * 64),
        ("x-signature", "hmac-sha256=" + "0" * 63),
        ("x-signature", "hmac-sha256=" + "A" * 64),
        ("x-signature", "hmac-sha512=" + "0" * 64),
        ("x-signature", "hmac-sha256=" + "0" * 64 + "\n"),
        ("x-signature", "hmac-sha256=" + "\u0660" * 64),
    ],
)
def test_a_malformed_field_is_refused(name: str, value: str) -> None:
    with pytest.raises(PapermeshError, match=name) as caught:
        read({**signed_metadata(), name: value})
    assert caught.value.code is Code.UNAUTHENTICATED


@pytest.mark.parametrize(
    "timestamp",
    [
        "",
        "now",
        "2025-08-23 12:00:00Z",
        "2025-08-23T12:00:00",
        "2025-08-23T12:00:00+00:00",
        "2025-08-23T12:00:00.5Z",
        "2025-02-30T12:00:00Z",
        "2025-08-23T25:00:00Z",
        "٢٠٢٥-08-23T12:00:00Z",
        "0000-01-01T00:00:00Z",
    ],
)
def test_a_timestamp_of_another_form_is_refused(timestamp: str) -> None:
    with pytest.raises(PapermeshError, match="x-timestamp") as caught:
        signature.check_clock(read({**signed_metadata(), "x-timestamp": timestamp}), datetime.now(UTC))
    assert caught.value.code is Code.UNAUTHENTICATED


@pytest.mark.parametrize("seconds", [-290, 0, 290])
def test_a_clock_within_five_minutes_is_taken(seconds: int) -> None:
    now = datetime(2025, 8, 23, 12, tzinfo=UTC)
    signed = replace(read(signed_metadata()), timestamp="2025-08-23T12:00:00Z")
    signature.check_clock(signed, now + timedelta(seconds=seconds))


@pytest.mark.parametrize("seconds", [-310, 310])
def test_a_clock_beyond_five_minutes_is_refused(seconds: int) -> None:
    now = datetime(2025, 8, 23, 12, tzinfo=UTC)
    signed = replace(read(signed_metadata()), timestamp="2025-08-23T12:00:00Z")
    with pytest.raises(PapermeshError, match="clock") as caught:
        signature.check_clock(signed, now + timedelta(seconds=seconds))
    assert caught.value.code is Code.UNAUTHENTICATED


def test_during_a_rotation_either_key_fits() -> None:
    signed = read(signed_metadata())
    check(signed, OTHER_KEY, KEY)
    check(signed, KEY, OTHER_KEY)


@pytest.mark.parametrize("keys", [(OTHER_KEY,), (OTHER_KEY, bytes(32))])
def test_another_key_is_refused(keys: tuple[bytes, ...]) -> None:
    with pytest.raises(PapermeshError, match="does not match"):
        check(read(signed_metadata()), *keys)


def test_a_client_without_keys_is_refused() -> None:
    with pytest.raises(PapermeshError, match="does not match"):
        signature.check_mac(read(signed_metadata()), (), audience="prod", method=INVOKE, request=REQUEST)


def changes(text: str) -> Iterator[str]:
    """Every text that differs in one character: changed, removed or added."""
    for index, letter in enumerate(text):
        other = next(each for each in string.ascii_letters + string.digits if each != letter)
        yield text[:index] + other + text[index + 1 :]
        yield text[:index] + text[index + 1 :]
        yield text[:index] + other + text[index:]


def test_no_signed_part_can_change_by_one_character() -> None:
    signed = read(signed_metadata())
    forged = [
        *({"signed": replace(signed, timestamp=each)} for each in changes(signed.timestamp)),
        *({"signed": replace(signed, nonce=each)} for each in changes(signed.nonce)),
        *({"signed": replace(signed, mac=each)} for each in changes(signed.mac)),
        *({"audience": each} for each in changes("prod")),
        *({"method": each} for each in changes(INVOKE)),
        *({"request": each.encode()} for each in changes(REQUEST.decode())),
    ]
    for change in forged:
        with pytest.raises(PapermeshError):
            check(**{"signed": signed, **change})


def key_file(folder: Path, **changed: object) -> Path:
    content = {"client": "adapter", "key_id": "k1", "secret": base64.urlsafe_b64encode(KEY).decode().rstrip("=")}
    path = folder / "key.json"
    path.write_text(json.dumps({**content, **changed}))
    path.chmod(0o600)
    return path


def test_a_key_file_is_read(tmp_path: Path) -> None:
    key = signature.read_key_file(key_file(tmp_path))
    assert (key.client, key.key_id, key.secret) == ("adapter", "k1", KEY)
    assert str(KEY) not in repr(key)


@pytest.mark.parametrize("secret", [None, 1234567890, "", "c2hvcnQ", "c2hvcnQ" * 20, "ключ"])
def test_a_key_file_with_a_bad_secret_is_refused_without_showing_it(tmp_path: Path, secret: object) -> None:
    with pytest.raises(KeyFileError, match="32 bytes") as caught:
        signature.read_key_file(key_file(tmp_path, secret=secret))
    assert not secret or str(secret) not in str(caught.value)


@pytest.mark.parametrize("content", ["", "[]", "5", "{}", '"text"', "\x00"])
def test_a_key_file_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "key.json"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match=r"key\.json needs client"):
        signature.read_key_file(path)


def test_a_key_file_that_everybody_can_read_is_refused_and_not_shown(tmp_path: Path) -> None:
    path = key_file(tmp_path)
    path.chmod(0o644)
    with pytest.raises(KeyFileError) as caught:
        signature.read_key_file(path)
    assert str(caught.value) == f"{path}: everybody on this machine can read it; run chmod o= {path}."


def test_a_missing_key_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match=r"none\.json: No such file"):
        signature.read_key_file(tmp_path / "none.json")


def test_a_secret_holds_nothing_but_its_letters() -> None:
    text = base64.urlsafe_b64encode(KEY).decode().rstrip("=")
    with pytest.raises(ValueError, match="base64url"):
        signature.decode_secret(text[:10] + "!\n" + text[10:])
