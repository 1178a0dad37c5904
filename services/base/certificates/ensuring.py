"""Bringing a folder of certificates up to date: keeps what is good, issues what is missing, renews what grows old."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from services.base.certificates.folder import publish
from services.base.certificates.issuing import ENVOY_NAMES, Pair, issue_ca, issue_leaf, subject_names
from services.base.identity import client_id, workload_id

WORKLOADS = ("adapter", "envoy", "dispatch", "pdf", "gitlab", "worker", "operator")
"""Every workload of Papermesh itself; in-house services add their names."""

_TAKEN = frozenset({"ca", "client"})
"""Folders of the layout that are no workload's."""

# A DNS label: what Kubernetes allows in a name, and nothing that reaches into another id or folder.
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")

_RENEW_BELOW = 1 / 3
"""Of its life: a leaf of 90 days is renewed in its last 30, so that a month of failed attempts harms nobody."""


class CertificateError(Exception):
    """The folder cannot be brought up to date; the text is for the person who asked for it."""


class Done(StrEnum):
    """What was done about one certificate."""

    KEPT = "kept"
    ISSUED = "issued"
    RENEWED = "renewed"


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

    not_after: datetime


def ensure(
    directory: Path,
    namespace: str,
    workloads: Iterable[str] = WORKLOADS,
    *,
    clients: Iterable[str] = (),
    envoy_names: Sequence[str] = ENVOY_NAMES,
    now: datetime | None = None,
) -> tuple[Outcome, ...]:
    """Makes sure that `directory` holds a CA and a valid leaf for each workload and client.

    Running it again changes nothing until something is missing, unreadable, issued by another CA, made for other names,
    or in the last third of its life. A new CA makes all leaves new.

    Args:
        directory: Root of the layout; made with mode 0700.
        namespace: The namespace in every SPIFFE id.
        workloads: Whose leaves to have at `<directory>/<workload>`.
        clients: Names of callers of the company's own, at `<directory>/client/<name>`.
        envoy_names: DNS names and IP addresses by which Envoy is reached.
        now: The current time; for tests.

    Returns:
        An outcome for the CA and then one for each leaf, in the order asked for.

    Raises:
        CertificateError: for a name that cannot be one, or a folder that cannot be written.
    """
    moment = (now or datetime.now(UTC)).replace(microsecond=0)
    workloads, clients = tuple(workloads), tuple(clients)
    for name in (namespace, *workloads, *clients):
        if not _NAME.fullmatch(name):
            raise CertificateError(f"{name!r} must be 1 to 63 lower-case letters, digits and inner hyphens.")
    if taken := _TAKEN.intersection(workloads):
        raise CertificateError(f"No workload may be called {', '.join(sorted(taken))}: the layout needs that folder.")
    wanted = [(workload, workload_id(namespace, workload)) for workload in workloads]
    wanted += [(f"client/{name}", client_id(namespace, name)) for name in clients]
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        ca, outcome = _ensure_ca(directory / "ca", namespace, moment)
        leaves = [
            _ensure_leaf(directory / name, name, uri, envoy_names if name == "envoy" else (), ca=ca, now=moment)
            for name, uri in wanted
        ]
    except OSError as error:
        raise CertificateError(f"The certificates in {directory} cannot be written: {error}") from error
    return (outcome, *leaves)


def callers(directory: Path) -> tuple[str, ...]:
    """Names of the company's own callers that have a folder in the layout, as `ensure` takes them for `clients`."""
    folders = (directory / "client").glob("*/")
    return tuple(sorted(folder.name for folder in folders if _NAME.fullmatch(folder.name)))


def _ensure_ca(folder: Path, namespace: str, now: datetime) -> tuple[Pair, Outcome]:
    found, done, reason = _examine(folder, "ca", now, lambda _: "")
    if done is Done.KEPT and found is not None:
        return found, Outcome("ca", "", done, reason, found.certificate.not_valid_after_utc)
    ca = issue_ca(namespace, now)
    publish(folder, {"ca.crt": ca.certificate_pem, "ca.key": ca.key_pem})
    return ca, Outcome("ca", "", done, reason, ca.certificate.not_valid_after_utc)


def _ensure_leaf(folder: Path, name: str, uri: str, hosts: Sequence[str], *, ca: Pair, now: datetime) -> Outcome:
    def fault(found: Pair) -> str:
        try:
            found.certificate.verify_directly_issued_by(ca.certificate)
        except (ValueError, TypeError, InvalidSignature):
            return "another CA had issued it"
        names = found.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        if list(names) != subject_names(uri, hosts):
            return "it was made for other names"
        if (folder / "ca.crt").read_bytes() != ca.certificate_pem:
            return "it stood beside another CA"
        return ""

    found, done, reason = _examine(folder, "tls", now, fault)
    if done is Done.KEPT and found is not None:
        return Outcome(name, uri, done, reason, found.certificate.not_valid_after_utc)
    leaf = issue_leaf(ca, uri, hosts, now)
    publish(folder, {"tls.crt": leaf.certificate_pem, "tls.key": leaf.key_pem, "ca.crt": ca.certificate_pem})
    return Outcome(name, uri, done, reason, leaf.certificate.not_valid_after_utc)


def _examine(folder: Path, stem: str, now: datetime, fault: Callable[[Pair], str]) -> tuple[Pair | None, Done, str]:
    """Reads a pair and judges it; `fault` says what else is wrong with it, or ""."""
    key_file = folder / f"{stem}.key"
    if not key_file.exists():
        return None, Done.ISSUED, "there was none"
    if key_file.stat().st_mode & 0o077:
        return None, Done.ISSUED, "others could read its key"
    try:
        found = Pair.from_pem((folder / f"{stem}.crt").read_bytes(), key_file.read_bytes())
        reason = fault(found)
    except (OSError, ValueError, x509.ExtensionNotFound):
        return None, Done.ISSUED, "it could not be read"
    if reason:
        return None, Done.ISSUED, reason
    certificate = found.certificate
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    if certificate.not_valid_after_utc - now < life * _RENEW_BELOW:
        return None, Done.RENEWED, "it was in the last third of its life"
    return found, Done.KEPT, ""
