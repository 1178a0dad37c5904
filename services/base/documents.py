"""What every part answers alike about a document: that its name is no digest, and that it is over the limit."""

from services.base.errors import PapermeshError, bad_field, too_large
from services.base.names import is_digest


def check_digest(sha256: str, field: str) -> None:
    """Refuses what is no SHA-256: a digest becomes part of a path.

    Raises:
        PapermeshError: BAD_ARG on `field`.
    """
    if not is_digest(sha256):
        raise bad_field(field, "must be a SHA-256, 64 lower-case hexadecimal digits")


def document_too_large(max_bytes: int) -> PapermeshError:
    """The answer to a document of more than `max_bytes` bytes."""
    message = f"A document may have at most {max_bytes} bytes. Split it, or compress its images."
    return too_large(message, limit_bytes=max_bytes)
