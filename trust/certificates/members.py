"""The leaves of the layout: whose they are, what is wrong with one, and how a new one replaces it."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from services.base.errors import OperatorError
from services.base.names import DNS_LABEL
from services.base.private_file import locked
from trust.certificates.authority import Authority
from trust.certificates.folder import publish
from trust.certificates.issuing import Pair, issue_leaf, issuer_id, subject_names

RESERVED = frozenset({"ca", "client"})
"""Folders of the layout that are no workload's."""

NAME = re.compile(DNS_LABEL)
"""What has a leaf; nothing that reaches into another id or folder."""

_RENEW_BELOW = 1 / 3
"""Of its life: a leaf of 90 days is renewed in its last 30, so that a month of failed attempts harms nobody."""


class CertificateError(OperatorError):
    """The folder cannot be brought into the requested state; the text is for the person who asked."""


class Done(StrEnum):
    """What was done about one certificate."""

    KEPT = "kept"
    ISSUED = "issued"
    RENEWED = "renewed"
    TRUST_UPDATED = "kept, with other CAs to trust"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one certificate."""

    name: str
    """"ca", "pdf" or "client/reports": its folder, from the certificates' root."""

    uri: str
    """Its SPIFFE id; empty for the CA."""

    done: Done
    reason: str
    """Why it was issued or renewed, as a clause; empty when it was kept."""

    certificate: x509.Certificate
    """The certificate that is in the folder now."""

    @property
    def not_after(self) -> datetime:
        """When it runs out."""
        return self.certificate.not_valid_after_utc

    @property
    def serial(self) -> str:
        """Its serial number, in hex, as openssl shows it."""
        return f"{self.certificate.serial_number:040x}"

    @property
    def issuer(self) -> str:
        """Eight hex digits that tell its CA from another."""
        return issuer_id(self.certificate)


@dataclass(frozen=True, slots=True)
class Member:
    """The holder of a leaf, and the names it is for."""

    name: str
    """"pdf" or "client/reports": its folder, from the certificates' root."""

    uri: str
    hosts: Sequence[str] = ()
    """Further DNS names and IP addresses; only Envoy has any."""


@contextmanager
def writing(directory: Path) -> Iterator[None]:
    """Creates the root of the layout, mode 0700, and keeps every other writer out while the block runs.

    Raises:
        CertificateError: when it cannot be created, or something in it cannot be written.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(directory):
            yield
    except OSError as error:
        raise CertificateError(f"The certificates in {directory} cannot be written: {error}") from error


def moment(now: datetime | None = None) -> datetime:
    """The current time, or the one that is given, in whole seconds, as certificates have them."""
    return (now or datetime.now(UTC)).replace(microsecond=0)


def callers(directory: Path) -> tuple[str, ...]:
    """Names of the company's own callers that have a folder in the layout, as `ensure` takes them for `clients`."""
    folders = (directory / "client").glob("*/")
    return tuple(sorted(folder.name for folder in folders if NAME.fullmatch(folder.name)))


def workloads(directory: Path) -> tuple[str, ...]:
    """Names of the workloads that have a folder in the layout, as `ensure` takes them."""
    found = {folder.name for folder in directory.glob("*/") if NAME.fullmatch(folder.name)}
    return tuple(sorted(found - RESERVED))


def present(directory: Path) -> tuple[Member, ...]:
    """Everybody who has a leaf in the layout, under the leaf's names.

    Raises:
        CertificateError: when a leaf cannot be read.
    """
    names = (*workloads(directory), *(f"client/{name}" for name in callers(directory)))
    return tuple(_member(directory, name) for name in names)


def bring_up_to_date(directory: Path, member: Member, authority: Authority, now: datetime) -> Outcome:
    """Makes sure that a member has a valid leaf of the CA that signs, and the right bundle of CAs to trust.

    Raises:
        OSError: when its folder cannot be written.
    """
    folder = directory / member.name
    found, reason = read_pair(folder, "tls")
    if found is None or (reason := _fault(found, member, authority)):
        return put(directory, member, authority, now, done=Done.ISSUED, reason=reason)
    certificate = found.certificate
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    if certificate.not_valid_after_utc - now < life * _RENEW_BELOW:
        return put(directory, member, authority, now, done=Done.RENEWED, reason="it was in the last third of its life")
    if _trusts(folder, authority):
        return Outcome(member.name, member.uri, Done.KEPT, "", certificate)
    _publish(folder, found, authority)
    return Outcome(member.name, member.uri, Done.TRUST_UPDATED, "", certificate)


def put(directory: Path, member: Member, authority: Authority, now: datetime, *, done: Done, reason: str) -> Outcome:
    """Gives a member a new leaf, whatever it had before.

    Raises:
        OSError: when its folder cannot be written.
    """
    leaf = issue_leaf(authority.issuer, member.uri, member.hosts, now)
    _publish(directory / member.name, leaf, authority)
    return Outcome(member.name, member.uri, done, reason, leaf.certificate)


def read_pair(folder: Path, stem: str) -> tuple[Pair | None, str]:
    """The pair <stem>.crt and <stem>.key, or why there is no usable one."""
    key_file = folder / f"{stem}.key"
    if not key_file.exists():
        return None, "there was none"
    if key_file.stat().st_mode & 0o077:
        return None, "others could read its key"
    try:
        return Pair.from_pem((folder / f"{stem}.crt").read_bytes(), key_file.read_bytes()), ""
    except (OSError, ValueError):
        return None, "it could not be read"


def _fault(found: Pair, member: Member, authority: Authority) -> str:
    try:
        found.certificate.verify_directly_issued_by(authority.issuer.certificate)
    except (ValueError, TypeError, InvalidSignature):
        return "another CA had issued it"
    try:
        names = list(found.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        names = []
    return "" if names == subject_names(member.uri, member.hosts) else "it was made for other names"


def _trusts(folder: Path, authority: Authority) -> bool:
    bundle = folder / "ca.crt"
    return bundle.exists() and bundle.read_bytes() == authority.bundle


def _publish(folder: Path, leaf: Pair, authority: Authority) -> None:
    publish(folder, {"tls.crt": leaf.certificate_pem, "tls.key": leaf.key_pem, "ca.crt": authority.bundle})


def _member(directory: Path, name: str) -> Member:
    try:
        certificate = x509.load_pem_x509_certificate((directory / name / "tls.crt").read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        (uri,) = names.get_values_for_type(x509.UniformResourceIdentifier)
    except (OSError, ValueError, x509.ExtensionNotFound):
        raise CertificateError(
            f"The certificate in {directory / name} cannot be read. For a workload, `papermesh certs` makes a new one; "
            "remove a folder that nobody needs."
        ) from None
    hosts = (*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress)))
    return Member(name, uri, hosts)
