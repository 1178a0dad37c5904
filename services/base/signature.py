"""The signature of a call (docs/signing.md): HMAC-SHA256 over who, where, when, once, which method and what.

Both sides are here, so that what the adapter signs and what dispatch verifies cannot drift apart.
"""

import base64
import hmac
import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from services.base.errors import Code, OperatorError, PapermeshError
from services.base.private_file import read_private

CLOCK_SKEW = timedelta(seconds=300)
"""How far a caller's clock may be from ours, either way."""

_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)
_SIGNATURE = re.compile(r"hmac-sha256=([0-9a-f]{64})", re.ASCII)
_TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)
_FIELDS = ("x-client", "x-timestamp", "x-nonce", "x-signature")
_MAX_CLIENT = 128
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}=?", re.ASCII)  # Python's decoder would pass over any other letter


@dataclass(frozen=True, slots=True)
class Signed:
    """The signing fields of a call, each present once and well formed; nothing of it is verified yet."""

    client: str
    timestamp: str
    nonce: str
    mac: str
    """64 lower-case hexadecimal digits."""

    action: str | None
    """x-action, None when absent."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of one client."""

    client: str
    key_id: str
    secret: bytes = field(repr=False)
    """32 random bytes."""


class KeyFileError(OperatorError):
    """A key file that cannot be used; the text says why and never shows a secret."""


def read_key_file(path: Path) -> Key:
    """The key that a client signs with, from its file: {"client": …, "key_id": …, "secret": base64url of 32 bytes}.

    Raises:
        KeyFileError: when the file cannot be read, can be read by everybody, or is malformed.
    """
    (client, key_id), secret = read_secret(path, "client", "key_id")
    return Key(client, key_id, secret)


def read_secret(path: Path, *names: str) -> tuple[list[str], bytes]:
    """What a file with a secret says under `names`, and the secret; raises what `read_key_file` does."""
    try:
        content = json.loads(read_private(path))
        return [str(content[name]) for name in names], decode_secret(content["secret"])
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError):
        raise KeyFileError(f"{path} needs {', '.join(names)} and secret (base64url of 32 bytes).") from None


def new_secret() -> str:
    """32 random bytes as files write them."""
    return secrets.token_urlsafe(32)


def decode_secret(text: str) -> bytes:
    """The 32 bytes of a secret as files write it, base64url, with or without its padding.

    Raises:
        ValueError: when it is anything else; the text never holds the secret.
    """
    if not _SECRET.fullmatch(text):
        raise ValueError("a secret is base64url of 32 bytes")
    return base64.urlsafe_b64decode(text.rstrip("=") + "=")


def unauthenticated(message: str) -> PapermeshError:
    """An UNAUTHENTICATED error."""
    return PapermeshError(Code.UNAUTHENTICATED, message)


def sign(
    *,
    client: str,
    secret: bytes,
    audience: str,
    method: str,
    request: bytes,
    action: str | None = None,
    nonce: str = "",
) -> tuple[tuple[str, str], ...]:
    """The metadata that signs one call, good for one try within the clock skew.

    Args:
        client: Id of the signing client.
        secret: One of its active keys, 32 bytes.
        audience: Name of the deployment that the call is meant for.
        method: gRPC path, "/papermesh.dispatch.v1.DispatchService/Invoke".
        request: Canonical JSON of the request message; of a streaming upload, its header message.
        action: The request's action, when it has one.
        nonce: 16 to 64 characters of base64url that no other call of the client has; empty for new ones.
    """
    timestamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    nonce = nonce or secrets.token_urlsafe(18)  # 144 random bits
    mac = _mac(secret, _signed_text(audience, timestamp, nonce, method, request))
    signed = (
        ("x-client", client),
        ("x-timestamp", timestamp),
        ("x-nonce", nonce),
        ("x-signature", f"hmac-sha256={mac}"),
    )
    return signed if action is None else (*signed, ("x-action", action))


def read(metadata: Iterable[tuple[str, str | bytes]]) -> Signed:
    """The signing fields from a call's metadata.

    Raises:
        PapermeshError: UNAUTHENTICATED when one is missing, doubled or malformed.
    """
    found: dict[str, str] = {}
    for key, value in metadata:
        if key in _FIELDS or key == "x-action":
            if key in found:
                raise unauthenticated(f"{key} is in the metadata more than once. Send it exactly once.")
            found[key] = value if isinstance(value, str) else value.decode("ascii", "replace")
    missing = [name for name in _FIELDS if name not in found]
    if missing:
        raise unauthenticated(f"The call is not signed; missing: {', '.join(missing)}. See docs/signing.md.")
    mac = _SIGNATURE.fullmatch(found["x-signature"])
    if mac is None:
        raise unauthenticated("x-signature must be hmac-sha256= and 64 lower-case hexadecimal digits.")
    if not _NONCE.fullmatch(found["x-nonce"]):
        raise unauthenticated("x-nonce must be 16 to 64 characters of A-Z, a-z, 0-9, _ and -.")
    if not 0 < len(found["x-client"]) <= _MAX_CLIENT:
        raise unauthenticated("x-client must be the id of a client.")
    return Signed(
        client=found["x-client"],
        timestamp=found["x-timestamp"],
        nonce=found["x-nonce"],
        mac=mac[1],
        action=found.get("x-action"),
    )


def check_clock(signed: Signed, now: datetime) -> int:
    """When a call was signed, in seconds since 1970, once its clock is known to be within `CLOCK_SKEW` of `now`.

    Raises:
        PapermeshError: UNAUTHENTICATED.
    """
    then = _time(signed.timestamp)
    if then is None:
        raise unauthenticated("x-timestamp must look like 2025-08-23T12:00:00Z.")
    if abs(now - then) > CLOCK_SKEW:
        raise unauthenticated(
            f"x-timestamp is more than {CLOCK_SKEW.seconds} seconds from this server's clock. Check the clock,"
            " and sign again."
        )
    return int(then.timestamp())


def check_mac(signed: Signed, active_keys: Iterable[bytes], *, audience: str, method: str, request: bytes) -> None:
    """Refuses a call that none of the client's active keys signed. Takes the same time whichever key fits.

    Raises:
        PapermeshError: UNAUTHENTICATED.
    """
    text = _signed_text(audience, signed.timestamp, signed.nonce, method, request)
    fits = [hmac.compare_digest(_mac(key, text), signed.mac) for key in active_keys]
    if not any(fits):
        raise unauthenticated(
            "x-signature does not match the call. Check the key, the audience, and that the request was not changed."
        )


def _time(timestamp: str) -> datetime | None:
    """The moment that a timestamp names; None for one that is malformed or names no day, "2025-02-30T…"."""
    if not _TIMESTAMP.fullmatch(timestamp):
        return None
    try:
        return datetime.fromisoformat(timestamp)
    except ValueError:
        return None


def _signed_text(audience: str, timestamp: str, nonce: str, method: str, request: bytes) -> bytes:
    return f"papermesh-v1.{audience}.{timestamp}.{nonce}.{method}.".encode() + request


def _mac(secret: bytes, text: bytes) -> str:
    return hmac.digest(secret, text, "sha256").hex()
