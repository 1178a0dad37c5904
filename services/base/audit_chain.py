"""The audit log's format: lines of JSON, each bound to all those before it by a MAC (docs/audit.md).

A chain is one file, written by one run of one process. The last field of every line is its MAC: HMAC-SHA256, under a
key that the log's readers lack, over the MAC of the line before (32 zero bytes before the first) and the line without
its own. So nobody without the key can alter, remove, insert or reorder lines. Only at the end could lines be cut off
unseen, and against that the number and the MAC of the last line stand in Redis as the chain's head.
"""

import hmac
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from services.base.signature import KeyFileError, new_secret, read_secret

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}-[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}", re.ASCII)
"""A chain's name: the replica, when the chain began in UTC, and four random bytes."""

SUFFIX = ".jsonl"
"""What follows a chain's name in its file's."""

BEFORE_THE_FIRST = bytes(32)
"""What stands for the MAC of the line before the first."""

MAX_LINE_BYTES = 2 * 1024 * 1024
"""No line is longer: its one part without a bound of its own, the documents' digests, came in a request of 1 MiB."""

_MAC = re.compile(rb',"mac":"([0-9a-f]{64})"}')
_MAC_BYTES = len(',"mac":""}') + 64
_HEAD = re.compile(r"([1-9][0-9]{0,18}) ([0-9a-f]{64})", re.ASCII)
_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class AuditKey:
    """The key of an audit log, as the two that are made from it."""

    id: str
    chain: bytes = field(repr=False)
    """For the lines' MACs."""

    arguments: bytes = field(repr=False)
    """For the digests of arguments, which are short enough to be guessed."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last line of a chain, as Redis knows it."""

    n: int
    mac: bytes = field(repr=False)

    @staticmethod
    def key(chain: str) -> str:
        """Where it stands in Redis, for one chain or, with "*", for all."""
        return f"audit:{chain}"

    def __str__(self) -> str:
        return f"{self.n} {self.mac.hex()}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads what `str` wrote.

        Raises:
            ValueError: for anything else.
        """
        match = _HEAD.fullmatch(text)
        if match is None:
            raise ValueError("is not the head of an audit log")
        return cls(int(match[1]), bytes.fromhex(match[2]))


@dataclass(frozen=True, slots=True)
class Line:
    """One line that looks like one; whether its MAC is right is not said."""

    chain: str
    n: int
    """Its number in the chain, from 1."""

    fields: dict[str, Any]
    mac: bytes
    body: bytes
    """What the MAC covers, besides the MAC before it."""


class Chain:
    """Seals lines, one after the other."""

    def __init__(self, name: str, key: AuditKey) -> None:
        self.name = name
        self.n = 0
        self.mac = BEFORE_THE_FIRST
        self._key = key

    def seal(self, fields: dict[str, Any]) -> bytes:
        """The next line, with its line feed: "chain", "n" and "mac" are added to the fields.

        Raises:
            TypeError: when that is no JSON; the chain goes on as if nothing had been asked.
        """
        body = orjson.dumps({"chain": self.name, "n": self.n + 1, **fields})
        self.n += 1
        self.mac = line_mac(self._key, self.mac, body)
        return b'%b,"mac":"%b"}\n' % (body[:-1], self.mac.hex().encode())


def line_mac(key: AuditKey, before: bytes, body: bytes) -> bytes:
    """The MAC of a line that follows one with the MAC `before`."""
    return hmac.digest(key.chain, before + body, "sha256")


def parse(raw: bytes) -> Line | None:
    """A line without its line feed, or None when it is none of ours."""
    match = _MAC.fullmatch(raw, max(len(raw) - _MAC_BYTES, 0))
    if match is None:
        return None
    body = raw[:-_MAC_BYTES] + b"}"
    try:
        fields = orjson.loads(body)
        chain, n = fields["chain"], fields["n"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
    if type(chain) is not str or type(n) is not int or n < 1:
        return None
    return Line(chain, n, fields, bytes.fromhex(match[1].decode()), body)


def new_key_file() -> bytes:
    """What the file of a new key says, as `read_key` reads it: the id "k1" and a secret of 32 random bytes."""
    return f"{json.dumps({'key_id': 'k1', 'secret': new_secret()}, indent=2)}\n".encode()


def read_key(path: Path) -> AuditKey:
    """The key in a file: {"key_id": …, "secret": base64url of 32 bytes}.

    Raises:
        KeyFileError: when the file cannot be read, can be read by everybody, or is malformed.
    """
    (key_id,), secret = read_secret(path, "key_id")
    if not _KEY_ID.fullmatch(key_id):
        raise KeyFileError(f"{path}: key_id must be 1 to 64 letters, digits, dots, hyphens and underscores.")
    return AuditKey(key_id, _derived(secret, b"chain"), _derived(secret, b"arguments"))


def _derived(secret: bytes, purpose: bytes) -> bytes:
    """A key for one purpose (HKDF, RFC 5869): what one of them gives away says nothing about the other."""
    return HKDF(hashes.SHA256(), 32, salt=None, info=b"papermesh audit v1 " + purpose).derive(secret)
