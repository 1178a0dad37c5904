"""What a picture is called by: its document, and an HMAC over all that it was made from.

Whoever asks for a picture must have the right to its document at that moment. The id says which document that is, so
one look decides, and takes as long for a picture that is not there as for somebody else's. The HMAC keeps anybody from
working out which picture an id is of, or making an id for one; its key need not outlive the process that made the
picture, since an id is looked up and never computed again.
"""

import base64
import binascii
import hmac
from typing import NamedTuple

from services.base.page_files import DOCUMENTS
from services.base.stored_blob import Key

_PREFIX = "img_"
_DIGEST_BYTES, _MAC_BYTES = 32, 15
"""With the byte that names the document's namespace, a multiple of three: base64 without padding."""


class ImageId(NamedTuple):
    """A picture of a document."""

    document: Key
    name: str
    """What it is stored by, below its document: 30 hexadecimal digits."""

    @classmethod
    def make(cls, key: bytes, document: Key, made_from: bytes) -> "ImageId":
        """The id of a picture of a document.

        Args:
            key: At least 32 random bytes.
            document: What it shows.
            made_from: The page, how it was drawn, and the version of the engine that drew it.
        """
        mac = hmac.digest(key, f"{document.namespace}\0{document.sha256}\0".encode() + made_from, "sha256")
        return cls(document, mac[:_MAC_BYTES].hex())

    @classmethod
    def read(cls, text: str) -> "ImageId | None":
        """The id that `str` wrote; None for anything else."""
        try:
            packed = base64.b64decode(text.removeprefix(_PREFIX).encode("ascii"), b"-_", validate=True)
            read = cls(
                Key(DOCUMENTS[packed[0]], packed[1 : 1 + _DIGEST_BYTES].hex()), packed[1 + _DIGEST_BYTES :].hex()
            )
        except (binascii.Error, IndexError, UnicodeEncodeError):
            return None
        return read if str(read) == text and len(packed) == 1 + _DIGEST_BYTES + _MAC_BYTES else None

    def __str__(self) -> str:
        """68 characters that stand in a URL as they are."""
        place = bytes([DOCUMENTS.index(self.document.namespace)])
        packed = place + bytes.fromhex(self.document.sha256) + bytes.fromhex(self.name)
        return _PREFIX + base64.urlsafe_b64encode(packed).decode()
