"""The public keys in a JSON Web Key Set (RFC 7517), and which algorithms each of them may check."""

from collections.abc import Mapping
from typing import Any

from jwt import PyJWK, PyJWTError

from mcp_adapter.people.fetching import FetchError

_RSA = ("RSA", None)
_KINDS: Mapping[str, tuple[str, str | None]] = {
    "RS256": _RSA,
    "RS384": _RSA,
    "RS512": _RSA,
    "PS256": _RSA,
    "PS384": _RSA,
    "PS512": _RSA,
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
}
"""Each algorithm's type and curve of key."""

ALGORITHMS = tuple(_KINDS)
"""Signatures with a private key that only the issuer has. HS256 and its like are left out, because they would take the
issuer's public key, which everybody knows, for a shared secret; so is `none`."""

_MAX_KEYS = 100


class KeySet:
    """Keys by their id and the algorithm that they may check: a key checks no other kind of signature."""

    def __init__(self, keys: Mapping[tuple[str, str], PyJWK]) -> None:
        self._keys = keys

    def find(self, key_id: str | None, algorithm: str) -> PyJWK | None:
        """The key that a token names or, if it names none, the only one for its algorithm."""
        if key_id is not None:
            return self._keys.get((key_id, algorithm))
        fitting = [key for (_, each), key in self._keys.items() if each == algorithm]
        return fitting[0] if len(fitting) == 1 else None


def read_key_set(document: Mapping[str, Any]) -> KeySet:
    """The keys of a set. Those that are secret, malformed, of an unknown kind or for encryption are skipped.

    Raises:
        FetchError: when it holds no usable key.
    """
    listed = document.get("keys")
    keys: dict[tuple[str, str], PyJWK] = {}
    for number, key in enumerate(listed[:_MAX_KEYS] if isinstance(listed, list) else ()):
        if not isinstance(key, dict):
            continue
        key_id = key.get("kid", f"#{number}")  # a key without an id is found by its algorithm alone
        for algorithm in _algorithms(key):
            try:
                keys.setdefault((str(key_id), algorithm), PyJWK(key, algorithm))
            except PyJWTError:
                break
    if not keys:
        raise FetchError("the issuer's key set has no usable signing key")
    return KeySet(keys)


def _algorithms(key: Mapping[str, Any]) -> list[str]:
    """The algorithms that a key may check: its own if it names one, else all of its kind."""
    operations = key.get("key_ops")
    for_checking = key.get("use", "sig") == "sig" and (not isinstance(operations, list) or "verify" in operations)
    if not for_checking or "d" in key:  # a private key that is published is nobody's secret
        return []
    return [
        algorithm
        for algorithm, (kind, curve) in _KINDS.items()
        if key.get("kty") == kind and key.get("crv") == curve and key.get("alg", algorithm) == algorithm
    ]
