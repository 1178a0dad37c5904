"""What the report of a comparison is called by: both documents, and an HMAC over all that it was made from.

As with a picture (`services.base.image_id`), the id says to which documents a right is needed, so one look decides, and
nobody can make an id for a report. Its key need not outlive the process that made it.
"""

import base64
import binascii
import hmac
from typing import NamedTuple

from services.base.page_files import DOCUMENTS
from services.base.stored_blob import Key

_PREFIX = "rep_"
_DIGEST_BYTES, _MAC_BYTES = 32, 15
"""With two digests and a byte for the namespace of each, a multiple of three: base64 without padding."""

_LENGTH = 2 + 2 * _DIGEST_BYTES + _MAC_BYTES


class ReportId(NamedTuple):
    """A report of a comparison."""

    left: Key
    right: Key
    name: str
    """What it is stored by, below the left document: 30 hexadecimal digits."""

    @property
    def documents(self) -> tuple[Key, Key]:
        """Both, the earlier one first."""
        return self.left, self.right

    @classmethod
    def make(cls, key: bytes, left: Key, right: Key, made_from: bytes) -> "ReportId":
        """The id of a report about two documents.

        Args:
            key: At least 32 random bytes.
            left: The earlier document.
            right: The later one.
            made_from: How they were compared, and the version of the engine that did it.
        """
        named = "\0".join(f"{each.namespace}\0{each.sha256}" for each in (left, right))
        mac = hmac.digest(key, f"{named}\0".encode() + made_from, "sha256")
        return cls(left, right, mac[:_MAC_BYTES].hex())

    @classmethod
    def read(cls, text: str) -> "ReportId | None":
        """The id that `str` wrote; None for anything else."""
        try:
            packed = base64.b64decode(text.removeprefix(_PREFIX).encode("ascii"), b"-_", validate=True)
            digests = packed[2:]
            left = Key(DOCUMENTS[packed[0]], digests[:_DIGEST_BYTES].hex())
            right = Key(DOCUMENTS[packed[1]], digests[_DIGEST_BYTES : 2 * _DIGEST_BYTES].hex())
            read = cls(left, right, digests[2 * _DIGEST_BYTES :].hex())
        except (binascii.Error, IndexError, UnicodeEncodeError):
            return None
        return read if str(read) == text and len(packed) == _LENGTH else None

    def __str__(self) -> str:
        """112 characters that stand in a URL as they are."""
        places = bytes(DOCUMENTS.index(each.namespace) for each in self.documents)
        digests = b"".join(bytes.fromhex(each.sha256) for each in self.documents)
        return _PREFIX + base64.urlsafe_b64encode(places + digests + bytes.fromhex(self.name)).decode()
