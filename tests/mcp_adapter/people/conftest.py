"""An issuer of tokens on loopback, with keys that a test makes, changes and takes away."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from jwt.algorithms import get_default_algorithms

AUDIENCE = "papermesh"
Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
RSA = rsa.generate_private_key(65537, 2048)
OTHER_RSA = rsa.generate_private_key(65537, 2048)
CURVES: dict[str, ec.EllipticCurve] = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}


def private_key(algorithm: str) -> Private:
    """A key that can sign with this algorithm."""
    if algorithm in CURVES:
        return ec.generate_private_key(CURVES[algorithm])
    return ed25519.Ed25519PrivateKey.generate() if algorithm == "EdDSA" else RSA


def jwk(key: Private | ed448.Ed448PrivateKey, algorithm: str = "RS256", **changed: Any) -> dict[str, Any]:
    """The public half, as a key set lists it."""
    made = get_default_algorithms()[algorithm].to_jwk(key.public_key(), as_dict=True)
    made.pop("key_ops", None)
    listed = {**made, "kid": "k1", "use": "sig", **changed}
    return {name: value for name, value in listed.items() if value is not None}


@dataclass
class StandIn:
    """What the issuer answers, by path, and what it was asked."""

    url: str = ""
    asked: list[str] = field(default_factory=list)
    answers: dict[str, tuple[int, bytes, dict[str, str]]] = field(default_factory=dict)
    discovery: dict[str, Any] = field(default_factory=dict)

    def publish(self, *keys: dict[str, Any]) -> None:
        self.answer("/keys", {"keys": list(keys)})
        self.discovery = {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        self.answer("/.well-known/openid-configuration", self.discovery)

    def answer(self, path: str, document: object, status: int = 200, **headers: str) -> None:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.answers[path] = status, body, headers

    def fetches(self) -> int:
        """How often its keys were fetched."""
        return self.asked.count("/keys")

    def token(
        self, key: Private | bytes = RSA, algorithm: str = "RS256", header: dict[str, Any] | None = None, **changed: Any
    ) -> str:
        """A token with nothing wrong but what is changed: None leaves a claim out, a timedelta is so far from now."""
        now = int(time.time())
        claims = {"iss": self.url, "aud": AUDIENCE, "sub": "ada", "iat": now, "exp": now + 300, **changed}
        claims = {
            name: now + int(value.total_seconds()) if isinstance(value, timedelta) else value
            for name, value in claims.items()
            if value is not None
        }
        return jwt.encode(claims, key, algorithm, {"kid": "k1", **(header or {})})


@pytest.fixture
def issuer() -> Iterator[StandIn]:
    """The issuer, with one RSA key."""
    served = StandIn()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            status, body, headers = served.answers.get(self.path, (404, b"", {}))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    served.publish(jwk(RSA))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Clock:
    """A clock that a test turns."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()
