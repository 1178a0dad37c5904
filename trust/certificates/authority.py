"""The CA folder: who signs, whom everybody trusts, and how far a rotation of the CA has come.

ca.crt  ca.key      the CA that signs
next.crt  next.key  the CA that will sign next, which everybody is told to trust first
previous.crt        the CA that signed before, trusted until nobody shows its leaves; its key is deleted

Everything a rotation has to remember is here, and the folder changes in one step. So an interrupted rotation can always
continue from what the folder says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from trust.certificates.folder import read
from trust.certificates.issuing import Pair, issue_ca

_DUE_BELOW = 1 / 3


class Phase(StrEnum):
    """How far a rotation of the CA has come."""

    SETTLED = "settled"
    """One CA, and no rotation."""

    TRUSTING = "trusting"
    """Everybody is told to trust both; the old one signs."""

    ISSUING = "issuing"
    """Everybody is told to trust both; the new one signs."""


@dataclass(frozen=True, slots=True)
class Authority:
    """The CA, and the other one while it is being rotated."""

    issuer: Pair
    successor: Pair | None = None
    predecessor: x509.Certificate | None = None

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Reads the folder.

        Raises:
            OSError: when a file cannot be read.
            ValueError: when a file is invalid.
        """
        files = read(folder)
        if "ca.crt" not in files or "ca.key" not in files:
            raise FileNotFoundError(None, "it has no ca.crt and ca.key", str(folder))
        if ("next.crt" in files) is not ("next.key" in files):
            raise FileNotFoundError(None, "next.crt or next.key is missing", str(folder))
        issuer = Pair.from_pem(files["ca.crt"], files["ca.key"])
        successor = Pair.from_pem(files["next.crt"], files["next.key"]) if "next.crt" in files else None
        if not all(each.can_sign() for each in (issuer, successor) if each):
            raise ValueError("It holds a certificate that is not a CA's.")
        old = files.get("previous.crt")
        return cls(issuer, successor, x509.load_pem_x509_certificate(old) if old else None)

    @property
    def phase(self) -> Phase:
        """How far a rotation has come."""
        if self.successor is not None:
            return Phase.TRUSTING
        return Phase.SETTLED if self.predecessor is None else Phase.ISSUING

    @property
    def files(self) -> Mapping[str, bytes]:
        """The folder's content."""
        files = {"ca.crt": self.issuer.certificate_pem, "ca.key": self.issuer.key_pem}
        if self.successor is not None:
            files |= {"next.crt": self.successor.certificate_pem, "next.key": self.successor.key_pem}
        if self.predecessor is not None:
            files["previous.crt"] = self.predecessor.public_bytes(Encoding.PEM)
        return files

    @property
    def bundle(self) -> bytes:
        """The ca.crt of every workload: the CAs to trust, the one that signs first."""
        trusted = [self.issuer.certificate, self.successor and self.successor.certificate, self.predecessor]
        return b"".join(each.public_bytes(Encoding.PEM) for each in trusted if each)

    def advanced(self, namespace: str, now: datetime) -> Self:
        """The result of a rotation's next step: a next CA, that CA signing, or the previous one forgotten."""
        if self.successor is not None:
            return type(self)(self.successor, predecessor=self.issuer.certificate)
        if self.predecessor is not None:
            return type(self)(self.issuer)
        return type(self)(self.issuer, successor=issue_ca(namespace, now))

    def is_due(self, now: datetime) -> bool:
        """Whether the CA that signs is in the last third of its life."""
        certificate = self.issuer.certificate
        life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
        return certificate.not_valid_after_utc - now < life * _DUE_BELOW
