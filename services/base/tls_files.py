"""The three files with which a workload shows who it is: its certificate, its key, and the CAs that it trusts."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from services.base.private_file import read_private

DATA = "..data"
"""The link that all files of a folder lead through when they change together."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """What stood in a folder at one moment, as PEM; two are equal when their bytes are."""

    chain: bytes
    """tls.crt: the leaf, first."""

    key: bytes
    """tls.key; never shown, logged or made part of an error."""

    roots: bytes
    """ca.crt: one CA, and two while the CA is being rotated."""

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Reads the files, all of one version.

        Raises:
            OSError: naming the file, when it cannot be read or everybody on the machine can read the key.
        """
        while True:
            version = version_of(folder)
            try:
                chain, key = (folder / "tls.crt").read_bytes(), read_private(folder / "tls.key")
                files = cls(chain, key, (folder / "ca.crt").read_bytes())
            except OSError:
                if version_of(folder) == version:
                    raise
                continue  # it was removed under our eyes, since there is a newer one
            if version_of(folder) == version:  # or they were replaced between two reads
                return files

    def check(self, folder: Path) -> x509.Certificate:
        """The leaf, once it is known that the files, which came from `folder`, are whole and fit each other.

        Raises:
            OSError: naming the file that is at fault.
        """
        try:
            leaf = x509.load_pem_x509_certificates(self.chain)[0]
            public_key = leaf.public_key()
        except (ValueError, UnsupportedAlgorithm):
            raise _fault("it holds no certificate", folder / "tls.crt") from None
        try:
            key = load_pem_private_key(self.key, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            # Without the cause: nothing that a parser says of a key belongs in a log.
            raise _fault("it holds no key that can be read without a password", folder / "tls.key") from None
        if key.public_key() != public_key:
            raise _fault("it does not belong to tls.crt", folder / "tls.key")
        try:
            x509.load_pem_x509_certificates(self.roots)
        except ValueError:
            raise _fault("it holds no certificate", folder / "ca.crt") from None
        return leaf


def version_of(folder: Path) -> str:
    """What names the content of a folder whose files change together, as those of a mounted Secret do.

    Another name, another content (`trust.certificates.folder`). Empty for a folder of plain files.
    """
    data = folder / DATA
    return str(data.readlink()) if data.is_symlink() else ""


def _fault(text: str, file: Path) -> OSError:
    return OSError(None, text, str(file))
