"""Signatures: that there are any, whose they say they are, and what they cover. None is validated."""

import contextlib
import warnings
from collections.abc import Iterable
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509 import InvalidVersion
from cryptography.x509.oid import NameOID

from services.pdf.worker.dates import moment
from services.pdf.worker.documents import Document
from services.pdf.worker.forms import Field
from services.pdf.worker.listing import NAME_LENGTH, Listing, name_of
from services.pdf.worker.mupdf import mupdf
from services.pdf.worker.strings import fold
from services.pdf.worker.text_strings import decode

_MOST_BYTES = 1 << 20
"""Of a signature with its certificates."""

_RANGES = 4
"""Numbers of /ByteRange: where the two pieces around the signature begin, and how long they are."""

_NAMES = (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)


def read_signatures(document: Document, fields: Iterable[Field], signatures: Listing) -> None:
    """Adds an entry for each field that is signed. Raises mupdf.FzErrorBase when a signature cannot be read."""
    for field in fields:
        if field.kind != "Sig" or not mupdf.pdf_is_dict(field.value):
            continue
        if not signatures.has_room():
            return
        covered, kept = _look(document, field.value)
        signatures.add(
            {
                "field": field.name,
                "signer": name_of(field.value, "Name") or _signer(kept),
                "date": moment(decode(mupdf.pdf_dict_gets(field.value, "M"))),
                "covers_whole_file": covered,
            }
        )


def _look(document: Document, signature: Any) -> tuple[bool, bytes]:
    """Whether all bytes of the file but the signature's own are covered, and these, as the file has them.

    The two pieces must leave out nothing but a string in hexadecimal (ISO 32000-2, 12.8.1).
    """
    ranges = mupdf.pdf_dict_gets(signature, "ByteRange")
    if mupdf.pdf_array_len(ranges) != _RANGES:
        return False, b""
    start, first, second, rest = (mupdf.pdf_to_int64(mupdf.pdf_array_get(ranges, index)) for index in range(_RANGES))
    if start != 0 or not 0 < first < second <= document.size or second - first > 2 * _MOST_BYTES:
        return False, b""
    end = second + rest
    if document.content[first - 1 : first] == b"<":  # some programs sign the brackets of the string too
        first, second = first - 1, second + 1
    gap = document.content[first:second]
    if not (gap.startswith(b"<") and gap.find(b">") == len(gap) - 1):
        return False, b""
    try:
        kept = bytes.fromhex(gap[1:-1].decode("ascii"))
    except ValueError:
        return False, b""
    return end == document.size, kept


def _signer(signature: bytes) -> str:
    """Whom the certificate in a signature (CMS, RFC 5652) names, or "" if that is not clear.

    A signature may hold the certificates of its issuers too: the signer's is the one that issued no other.
    """
    with warnings.catch_warnings(), contextlib.suppress(ValueError, InvalidVersion, UnsupportedAlgorithm):
        warnings.simplefilter("ignore")  # of zeros that fill the string up, which stand after every signature
        certificates = pkcs7.load_der_pkcs7_certificates(signature)
        issuers = {each.issuer for each in certificates if each.issuer != each.subject}
        signers = [each.subject for each in certificates if each.subject not in issuers]
        if len(signers) == 1:
            names = (signers[0].get_attributes_for_oid(kind) for kind in _NAMES)
            return fold(next((str(found[0].value) for found in names if found), ""))[:NAME_LENGTH]
    return ""
