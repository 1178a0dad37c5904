"""Rotates leaves and the CA while the mesh runs: everybody trusts the new CA before anybody shows its leaves.

trust   creates a new CA; everybody is told to trust both
issue   gives everybody a leaf of the new CA; safe once everybody trusts both
drop    stops telling anybody to trust the old CA; safe once everybody shows a new leaf

Each step first completes what an interrupted one left undone, so it can be run again at any time. Between two steps
those who use the files must have taken them up; `takeup` waits for that.
"""

import time
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from trust.certificates.authority import Authority, Phase
from trust.certificates.folder import publish, published_at
from trust.certificates.members import CertificateError, Done, Outcome, bring_up_to_date, moment, present, put, writing

_UNATTENDED_AFTER_S = 3600.0
"""How long `carry_on` waits between two steps: no connection lives longer."""


class Step(StrEnum):
    """The steps of a CA's rotation, in order."""

    TRUST = "trust"
    ISSUE = "issue"
    DROP = "drop"


NEXT = {Phase.SETTLED: Step.TRUST, Phase.TRUSTING: Step.ISSUE, Phase.ISSUING: Step.DROP}
"""The step that each phase waits for."""

_LEADS_TO = {Step.TRUST: Phase.TRUSTING, Step.ISSUE: Phase.ISSUING, Step.DROP: Phase.SETTLED}


def authority_of(directory: Path) -> Authority:
    """The CA, and how far its rotation has come.

    Raises:
        CertificateError: when there is none.
    """
    try:
        return Authority.load(directory / "ca")
    except (OSError, ValueError) as error:
        raise CertificateError(
            f"There is no usable CA in {directory / 'ca'} ({error}). `papermesh certs` makes one."
        ) from None


def remaining(directory: Path) -> tuple[Step, ...]:
    """The steps that a rotation of the CA still has to take, including the last one taken, which may be half done.

    Raises:
        CertificateError: when there is no CA.
    """
    return (Step.ISSUE, Step.DROP) if authority_of(directory).phase is Phase.ISSUING else tuple(Step)


def rotate_leaves(directory: Path, names: Sequence[str] = ()) -> tuple[Outcome, ...]:
    """Issues new leaves, of the same CA and for the same names.

    Args:
        directory: Root of the layout.
        names: Folders, "pdf" or "client/reports"; empty for everybody's.

    Raises:
        CertificateError: for a name that has no leaf, or a folder that cannot be written.
    """
    begun = moment()
    with writing(directory):
        found = {member.name: member for member in present(directory)}
        if unknown := sorted(set(names) - found.keys()):
            raise CertificateError(f"{', '.join(unknown)}: no certificate to rotate. There are: {', '.join(found)}.")
        ca = authority_of(directory)
        return tuple(
            put(directory, found[name], ca, begun, done=Done.RENEWED, reason="it was rotated")
            for name in (names or found)
        )


def take(directory: Path, step: Step, namespace: str, *, now: datetime | None = None) -> tuple[Outcome, ...]:
    """Takes one step of the CA's rotation, or finishes an interrupted one.

    Args:
        directory: Root of the layout.
        step: Which step: the next one, or the last one taken.
        namespace: The deployment's namespace, for the new CA's name.
        now: The current time; for tests.

    Returns:
        What became of each leaf.

    Raises:
        CertificateError: when it is another step's turn, or a folder cannot be written.
    """
    begun = moment(now)
    with writing(directory):
        ca = authority_of(directory)
        if step not in {NEXT[ca.phase], *(each for each, phase in _LEADS_TO.items() if phase is ca.phase)}:
            raise CertificateError(f"The next step of the CA's rotation is {NEXT[ca.phase]}, not {step}.")
        if NEXT[ca.phase] is step:
            _spread(directory, ca, begun)
            ca = ca.advanced(namespace, begun)
            publish(directory / "ca", ca.files)
        return _spread(directory, ca, begun)


def carry_on(directory: Path, namespace: str, *, now: datetime | None = None) -> Step | None:
    """Does whatever is due, for callers that check from time to time and wait for nothing.

    It begins the rotation of a CA in the last third of its life, and takes a rotation's next step after an hour: by
    then, every connection made with the earlier files has ended.

    Returns:
        The step that was taken, if any.

    Raises:
        CertificateError: when a folder cannot be read or written.
    """
    begun = moment(now)
    ca = authority_of(directory)
    if ca.phase is Phase.SETTLED:
        due = ca.is_due(begun)
    else:
        due = time.time() - published_at(directory / "ca") > _UNATTENDED_AFTER_S
    if not due:
        return None
    take(directory, NEXT[ca.phase], namespace, now=now)
    return NEXT[ca.phase]


def _spread(directory: Path, ca: Authority, now: datetime) -> tuple[Outcome, ...]:
    return tuple(bring_up_to_date(directory, member, ca, now) for member in present(directory))
