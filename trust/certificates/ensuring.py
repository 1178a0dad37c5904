"""Brings a folder of certificates up to date: keeps valid ones, issues missing ones, renews ageing ones."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from services.base.identity import client_id, workload_id
from trust.certificates.authority import Authority
from trust.certificates.folder import publish
from trust.certificates.issuing import ENVOY_NAMES, issue_ca
from trust.certificates.members import (
    NAME,
    RESERVED,
    CertificateError,
    Done,
    Member,
    Outcome,
    bring_up_to_date,
    moment,
    read_pair,
    writing,
)


def ensure(
    directory: Path,
    namespace: str,
    workloads: Iterable[str] = (),
    *,
    clients: Iterable[str] = (),
    envoy_names: Sequence[str] = ENVOY_NAMES,
    now: datetime | None = None,
) -> tuple[Outcome, ...]:
    """Makes sure that `directory` holds a CA and a valid leaf for each workload and client.

    Running it again changes nothing until something is missing, unreadable, issued by another CA, made for other names,
    or in the last third of its life. An ageing CA is kept until it is rotated (see `rotation`), because replacing it at
    once would cost calls. A CA that has expired, cannot be read or whose key others could read is replaced, and all
    leaves with it.

    Args:
        directory: Root of the layout; made with mode 0700.
        namespace: The namespace in every SPIFFE id.
        workloads: Whose leaves to have at `<directory>/<workload>`.
        clients: Names of callers of the company's own, at `<directory>/client/<name>`.
        envoy_names: DNS names and IP addresses where Envoy is reached.
        now: The current time; for tests.

    Returns:
        An outcome for the CA and then one for each leaf, in the order asked for.

    Raises:
        CertificateError: for an invalid name, or a folder that cannot be written.
    """
    begun = moment(now)
    workloads, clients = tuple(workloads), tuple(clients)
    for name in (namespace, *workloads, *clients):
        if not NAME.fullmatch(name):
            raise CertificateError(f"{name!r} must be 1 to 63 lower-case letters, digits and inner hyphens.")
    if taken := RESERVED.intersection(workloads):
        raise CertificateError(f"No workload may be called {', '.join(sorted(taken))}: the layout needs that folder.")
    members = [Member(name, workload_id(namespace, name), envoy_names if name == "envoy" else ()) for name in workloads]
    members += [Member(f"client/{name}", client_id(namespace, name)) for name in clients]
    with writing(directory):
        authority, outcome = _ensure_authority(directory / "ca", namespace, begun)
        return (outcome, *(bring_up_to_date(directory, member, authority, begun) for member in members))


def _ensure_authority(folder: Path, namespace: str, now: datetime) -> tuple[Authority, Outcome]:
    found, reason = read_pair(folder, "ca")
    done = Done.ISSUED
    if found is not None:
        try:
            authority = Authority.load(folder)
        except (OSError, ValueError):
            reason = "the files of its rotation could not be read"
        else:
            if now < found.certificate.not_valid_after_utc:
                return authority, Outcome("ca", "", Done.KEPT, "", found.certificate)
            done, reason = Done.RENEWED, "it had run out"
    authority = Authority(issue_ca(namespace, now))
    publish(folder, authority.files)
    return authority, Outcome("ca", "", done, reason, authority.issuer.certificate)
