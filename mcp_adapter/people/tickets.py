"""Tickets: how a browser opens by URL what it must ask for with a credential.

A ticket names one path and one actor, sealed so that only an adapter of this deployment can read or make it. It is good
for a minute, and once: it holds the nonce of the signed call that it will cause, which dispatch takes once whichever
adapter signs it. What the actor may see is asked then, as at every call.
"""

import base64
import json
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from services.base.errors import Code, PapermeshError, bad_field
from services.base.private_file import read_private
from services.base.signature import KeyFileError, decode_secret, new_secret

LIFETIME_S = 60
"""For how long a ticket is good."""

_PATH = re.compile(
    r"/(?:(?:documents|images)/[A-Za-z0-9_-]{1,128}|reports/[A-Za-z0-9_-]{1,128}(?:\.(?:json|csv|xlsx|pdf))?)", re.ASCII
)
"""What tickets are for: each of these is one call of dispatch."""

_MOST_CHARACTERS = 4096
"""Of a ticket; one for the longest actor has 1,900. What is longer is cut, and so is none."""


@dataclass(frozen=True, slots=True)
class TicketKeys:
    """What seals and opens tickets: the first one seals, and all open."""

    secrets: tuple[bytes, ...] = field(repr=False)
    """At least one, 32 random bytes each."""

    @property
    def fernet(self) -> MultiFernet:
        """The keys at work."""
        return MultiFernet([Fernet(base64.urlsafe_b64encode(each)) for each in self.secrets])


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a ticket says."""

    actor: str
    nonce: str
    """Of the signed call."""


def new_key_file() -> bytes:
    """The content of a key file with a new key."""
    return json.dumps({"secrets": [new_secret()]}).encode()


def read_key_file(path: Path) -> TicketKeys:
    """The keys in a file {"secrets": [base64url of 32 bytes, …]}.

    A key is replaced in two steps: the new one after the old, and when all adapters have read that, the new one alone.

    Raises:
        KeyFileError: when the file cannot be read, can be read by everybody, or is malformed.
    """
    try:
        listed: list[str] = json.loads(read_private(path))["secrets"]
        keys = TicketKeys(tuple(decode_secret(each) for each in listed))
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError):
        raise KeyFileError(f"{path} needs secrets, a list with at least one (base64url of 32 bytes).") from None
    if not keys.secrets:
        raise KeyFileError(f"{path} has no secrets; it needs one at least.")
    return keys


def key_of_this_process() -> TicketKeys:
    """A key that no other adapter has."""
    return TicketKeys((secrets.token_bytes(32),))


def seal(keys: TicketKeys, path: str, actor: str) -> str:
    """A ticket that lets somebody open a path as an actor.

    Raises:
        PapermeshError: BAD_ARG for a path that takes none.
    """
    if not _PATH.fullmatch(path):
        raise bad_field("path", "must be /documents/<sha256>, or the url of a picture or a report")
    said = orjson.dumps([path, actor, secrets.token_urlsafe(18)])
    return keys.fernet.encrypt(said).decode().rstrip("=")


def unseal(keys: TicketKeys, text: str, path: str) -> Ticket:
    """What a ticket for this path says.

    Raises:
        PapermeshError: UNAUTHENTICATED for one that is not good, for another path, or older than `LIFETIME_S`.
    """
    try:
        padded = text[:_MOST_CHARACTERS].encode("ascii") + b"=" * (-len(text) % 4)
        named, actor, nonce = orjson.loads(keys.fernet.decrypt(padded, ttl=LIFETIME_S))
    except (InvalidToken, UnicodeEncodeError):
        raise not_good() from None
    if named != path:
        raise not_good()
    return Ticket(actor, nonce)


def not_good() -> PapermeshError:
    """The answer to a ticket that opens nothing."""
    return PapermeshError(
        Code.UNAUTHENTICATED,
        f"This ticket is good no more, or not for this path: it opens one path, once, within {LIFETIME_S} seconds."
        " POST /tickets gives another.",
    )
