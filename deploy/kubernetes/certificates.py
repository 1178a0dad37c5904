"""`python -m deploy.kubernetes.certificates`: brings a release's certificates up to date, for its hook Job.

It keeps what is good, issues what is missing, renews what is in the last third of its life or ends before Envoy's, and
rotates on request: when the text in PAPERMESH_ROTATE_LEAVES or PAPERMESH_ROTATE_CA is another than the last time.
Interrupted at any point, it goes on from what the Secrets say when it is run again.
"""

import ipaddress
import logging
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import Field, field_validator

from deploy.kubernetes.api_server import ApiServer, SecretError
from deploy.kubernetes.job import JobSettings, run
from deploy.kubernetes.secret_store import SecretStore
from services.base.settings import CommaList
from trust import certificates
from trust.certificates import CertificateError, Done, Listener, Outcome, Phase, Step

_log = logging.getLogger(__name__)

_CA_NOTE, _LEAVES_NOTE = "papermesh/ca-rotated", "papermesh/leaves-rotated"
_DNS_NAME = re.compile(r"(?=.{1,253}$)(?:\*\.)?[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*", re.ASCII | re.IGNORECASE)
_ENVOY = "envoy"
_LISTENER = re.compile(r"([a-z0-9-]{1,63}):([0-9]{1,5})", re.ASCII)


class CertificateSettings(JobSettings):
    """Who gets a certificate, and what is to be rotated."""

    workloads: CommaList = Field(min_length=1, description="The workloads with a certificate, separated by commas.")
    clients: CommaList = Field((), description="Your own callers with a certificate.")
    envoy_names: CommaList = Field(min_length=1, description="DNS names by which Envoy is reached.")
    listeners: CommaList = Field(
        (), description="Ports that show a certificate, workload:port, which a rotation of the CA waits for."
    )
    work_dir: Path = Field(description="An empty folder in memory, for as long as the Job runs.")
    rotate_leaves: str = Field("", max_length=63, description="Any text: a change of it asks for new leaves.")
    rotate_ca: str = Field("", max_length=63, description="Any text: a change of it asks for a new CA.")
    settle_s: float = Field(
        10,
        ge=0,
        le=600,
        description="Seconds for each step for those who only call, or as long as those who listen took.",
    )
    limit_s: float = Field(300, gt=0, le=3600, description="Seconds to wait for each step of the CA's rotation.")

    @field_validator("workloads")
    @classmethod
    def _no_client(cls, workloads: tuple[str, ...]) -> tuple[str, ...]:
        if any(name.startswith("client-") for name in workloads):
            raise ValueError("no workload may be called client-…: the Secrets of clients have that name")
        return workloads

    @field_validator("envoy_names")
    @classmethod
    def _names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not _DNS_NAME.fullmatch(name) and not _is_address(name):
                raise ValueError(f"{name!r} is neither a DNS name, in ASCII, nor an IP address")
        return names

    @field_validator("listeners")
    @classmethod
    def _ports(cls, listeners: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_LISTENER.fullmatch(each) for each in listeners):
            raise ValueError("must be workload:port")
        return listeners

    @property
    def members(self) -> tuple[str, ...]:
        """The folders of the layout with a leaf."""
        return (*self.workloads, *(f"client/{name}" for name in self.clients))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


class CertificateJob:
    """One run."""

    def __init__(self, api: ApiServer, settings: CertificateSettings) -> None:
        """Does nothing yet."""
        self._api = api
        self._settings = settings
        self._folder = settings.work_dir
        self._shelf = SecretStore(api, settings, settings.work_dir, settings.members)

    def run(self) -> None:
        """Brings everything up to date, and rotates what is asked for or due.

        Raises:
            ApiError: when a Secret cannot be read or written, or the pods cannot be listed.
            SecretError: when there is a Secret for the CA, and no usable CA in it.
            CertificateError: when a name cannot be one, or a rotation's step is not taken up in time.
        """
        self._shelf.fetch()
        self._check_ca()
        ca, *leaves = certificates.ensure(
            self._folder,
            self._settings.namespace,
            self._settings.workloads,
            clients=self._settings.clients,
            envoy_names=self._settings.envoy_names,
        )
        self._store((ca, *leaves, *self._renewed_with_envoy(leaves)))
        if ca.done is Done.KEPT:
            self._rotate()
        self._note_what_was_asked()

    def _check_ca(self) -> None:
        """A CA is made where there is none, and never in the place of one that somebody could mend or still needs.

        Raises:
            SecretError: see `run`.
        """
        if not self._shelf.has_ca:
            return
        try:
            certificates.authority_of(self._folder)
        except CertificateError:
            raise SecretError(
                f"The Secret {self._settings.named('ca')} holds no CA that can be used: ca.crt and ca.key, an "
                "elliptic-curve key without a password; while it is rotated also next.crt and next.key, or "
                "previous.crt. It stays as it is. Repair it. If it is another's, give the release another name. If it "
                "may go, remove it: all certificates are then made anew, and calls fail until every pod has them."
            ) from None

    def _renewed_with_envoy(self, leaves: Sequence[Outcome]) -> tuple[Outcome, ...]:
        """Renews whoever's certificate ends before Envoy's, the only one whose end has a counter and an alert."""
        envoys = next((each.not_after for each in leaves if each.name == _ENVOY), None)
        sooner = [each.name for each in leaves if envoys is not None and each.not_after < envoys]
        return certificates.rotate_leaves(self._folder, sooner) if sooner else ()

    def _rotate(self) -> None:
        authority = certificates.authority_of(self._folder)
        if self._asks(_CA_NOTE, self._settings.rotate_ca) or authority.phase is not Phase.SETTLED:
            self._rotate_ca()
        elif authority.is_due(datetime.now(UTC)):
            _log.info("the CA is in the last third of its life")
            self._rotate_ca()
        elif self._asks(_LEAVES_NOTE, self._settings.rotate_leaves):
            self._store(certificates.rotate_leaves(self._folder))

    def _rotate_ca(self) -> None:
        for step in certificates.remaining(self._folder):
            if step is Step.DROP:  # interrupted after that, there would be nothing left to see that it was done
                self._note_what_was_asked()
            written = self._store(certificates.take(self._folder, step, self._settings.namespace))
            _log.info("the CA is being rotated: %s is done", step)
            if step is not Step.DROP:  # after which nothing comes that would have to wait
                certificates.wait(
                    self._folder,
                    self._settings.namespace,
                    self._listeners,
                    settle_s=self._settings.settle_s,
                    limit_s=self._settings.limit_s,
                    age_s=0 if written else self._shelf.ca_age_s(),  # then a run that was interrupted wrote them
                )

    def _note_what_was_asked(self) -> None:
        asked = {_CA_NOTE: self._settings.rotate_ca, _LEAVES_NOTE: self._settings.rotate_leaves}
        self._shelf.take_notes({note: text for note, text in asked.items() if text})

    def _asks(self, note: str, text: str) -> bool:
        """Whether a rotation is asked for that was not done yet."""
        return bool(text) and self._shelf.note(note) != text

    def _store(self, outcomes: Iterable[Outcome]) -> bool:
        """Writes what has changed; whether there was anything."""
        for outcome in outcomes:
            if outcome.done is not Done.KEPT:
                shown = {"serial": outcome.serial, "issuer": outcome.issuer, "until": outcome.not_after.isoformat()}
                why = f" ({outcome.reason})" if outcome.reason else ""
                _log.info("%s: %s%s", outcome.name, outcome.done, why, extra={"fields": shown})
        written = self._shelf.store()
        for name in written:
            _log.info("the Secret %s is written", name)
        return bool(written)

    def _listeners(self) -> tuple[Listener, ...]:
        """Where the pods of this moment show certificates: while the CA is rotated, they come and go."""
        ports = [each.rpartition(":") for each in self._settings.listeners]
        return tuple(
            Listener(workload, pod.address, int(port))
            for pod in self._api.pods(self._settings.release)
            for workload, _, port in ports
            if pod.component == workload
        )


if __name__ == "__main__":
    run("certificates", CertificateSettings, lambda api, settings: CertificateJob(api, settings).run())
