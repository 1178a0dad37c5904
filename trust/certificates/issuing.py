"""Making X.509 certificates: the CA's own and the leaves that it signs. Knows no files."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_LIFE = timedelta(days=3650)
LEAF_LIFE = timedelta(days=90)

BACKDATE = timedelta(minutes=5)
"""A certificate is valid from a little before its creation, for peers whose clocks run behind."""

ENVOY_NAMES = ("localhost", "envoy", "127.0.0.1", "::1")
"""DNS names and IP addresses of Envoy's leaf on a laptop. gRPC's clients require one; all else checks the URI."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def from_pem(cls, certificate: bytes, key: bytes) -> Self:
        """Reads both.

        Raises:
            ValueError: when either is invalid, or they do not belong together.
        """
        parsed = x509.load_pem_x509_certificate(certificate)
        try:
            private = load_pem_private_key(key, password=None)
        except (TypeError, UnsupportedAlgorithm) as error:
            raise ValueError("The key is encrypted, or of an unknown kind.") from error
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise ValueError("The key is not an elliptic-curve key.")  # noqa: TRY004 - a file's content
        if private.public_key() != parsed.public_key():
            raise ValueError("The key does not belong to the certificate.")
        return cls(parsed, private)

    def can_sign(self) -> bool:
        """Whether it is a CA's: a leaf signed by any other certificate is refused."""
        extensions = self.certificate.extensions
        try:
            extensions.get_extension_for_class(x509.SubjectKeyIdentifier)  # which its leaves name
            return extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        except x509.ExtensionNotFound:
            return False

    @property
    def certificate_pem(self) -> bytes:
        """The certificate as a file holds it."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The key, unencrypted, as a file holds it."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def issue_ca(namespace: str, now: datetime) -> Pair:
    """A new root, which may sign leaves but no further CA.

    Each has a name of its own: while two are trusted, a leaf's issuer is looked up by name.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, namespace),
            x509.NameAttribute(NameOID.COMMON_NAME, f"papermesh mesh CA {_short(identifier)}"),
        ]
    )
    certificate = (
        _builder(name, key, now, now + CA_LIFE)
        .issuer_name(name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Pair(certificate, key)


def issue_leaf(ca: Pair, uri: str, hosts: Sequence[str], now: datetime, life: timedelta | None = None) -> Pair:
    """A leaf for client and server side alike: every workload of the mesh is both. It never outlives its CA.

    Args:
        ca: The CA that signs.
        uri: The one SPIFFE id.
        hosts: Further DNS names and IP addresses; empty for everyone but Envoy.
        now: Start of its life.
        life: How long it is valid from then on; `LEAF_LIFE` when left out.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, uri.rsplit("/", 1)[-1])])
    ca_identifier = ca.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    certificate = (
        _builder(name, key, now, min(now + (life or LEAF_LIFE), ca.certificate.not_valid_after_utc))
        .issuer_name(ca.certificate.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
        .add_extension(x509.SubjectAlternativeName(subject_names(uri, hosts)), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ca_identifier),
            critical=False,
        )
        .sign(ca.key, hashes.SHA256())
    )
    return Pair(certificate, key)


def issuer_id(certificate: x509.Certificate) -> str:
    """Eight hex digits that identify the CA that signed this certificate."""
    extensions = certificate.extensions
    try:
        signer = extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except x509.ExtensionNotFound:  # a root: its own
        signer = extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    return _short(signer or b"")


def _short(identifier: bytes) -> str:
    return identifier.hex()[:8]


def subject_names(uri: str, hosts: Sequence[str]) -> list[x509.GeneralName]:
    """The entries of the leaf's subjectAltName, in order."""
    return [x509.UniformResourceIdentifier(uri), *(_host(host) for host in hosts)]


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _builder(
    name: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, until: datetime
) -> x509.CertificateBuilder:
    """What the CA and the leaves have in common."""
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATE)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
