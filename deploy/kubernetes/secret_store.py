"""The certificates as Secrets, and as the folder that `trust.certificates` works on.

A Secret for every folder of the layout, with the folder's files: <release>-ca, <release>-tls-<workload>,
<release>-tls-client-<name>. The folder is a copy for as long as the Job runs.

Pods take ca.crt from one more Secret, <release>-trust: the CAs that everybody trusts. It is a Secret though
nothing in it is secret: the Job then needs no rights to another kind of object. A leaf's Secret has its ca.crt
nevertheless, for whoever is handed it as a whole, and for pods of charts that mount it from there: they run during the
upgrade from such a chart, and again after a rollback to it.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from deploy.kubernetes.api_server import OPAQUE, TLS, ApiServer, Secret
from deploy.kubernetes.job import JobSettings
from services.base.settings import TLS_FILES
from trust import certificates
from trust.certificates import folder as folders

CA, TRUST = "ca", "trust"

_WRITTEN = "papermesh/ca-written"
_CA_FILES = ("ca.crt", "ca.key", "next.crt", "next.key", "previous.crt")


class SecretStore:
    """The CA and the leaves of a release."""

    def __init__(self, api: ApiServer, settings: JobSettings, folder: Path, members: Iterable[str]) -> None:
        """Reads and writes nothing yet.

        Args:
            api: Where the Secrets are.
            settings: How they are called.
            folder: The root of the layout; empty.
            members: Folders of the layout with a leaf, "pdf" or "client/reports".
        """
        self._api = api
        self._settings = settings
        self._folder = folder
        self._leaves = {f"tls-{member.replace('/', '-')}": member for member in members}
        self._stored: dict[str, Secret] = {}

    def fetch(self) -> None:
        """Lays the Secrets that there are out as folders.

        The CA's comes last. Where another Job goes on with a rotation meanwhile, the others are then older than the CA,
        and the API server refuses to replace them by what is no newer. An older CA would take back whom to trust.

        Raises:
            ApiError: when one cannot be read.
            OSError: when the folder cannot be written.
        """
        for name in (*self._leaves, TRUST, CA):
            found = self._api.secret(self._settings.named(name))
            if found is None:
                continue
            self._stored[name] = found
            if name != TRUST:  # which follows from the CA
                known = _CA_FILES if name == CA else TLS_FILES
                folder = self._folder / self._leaves.get(name, CA)
                folders.publish(folder, {file: found.data[file] for file in known if file in found.data})

    def store(self) -> tuple[str, ...]:
        """Writes what has changed in the folder since, and returns the names of the Secrets written.

        Raises:
            ApiError: when one cannot be written.
            CertificateError: when there is no CA in the folder.
            OSError: when the folder cannot be read.
        """
        written = []
        for name, files in self._contents():
            found = self._stored.get(name)
            if found is None or files != found.data:
                self._put(name, files, {_WRITTEN: datetime.now(UTC).isoformat()} if name == CA else None)
                written.append(self._settings.named(name))
        return tuple(written)

    def _contents(self) -> Iterator[tuple[str, Mapping[str, bytes]]]:
        """What the Secrets must hold, in the order in which they are stored.

        The CA comes first: a leaf of a CA that was lost would be issued once more. Then whom to trust, before anybody
        shows a leaf of theirs.
        """
        yield CA, folders.read(self._folder / CA)
        yield TRUST, {"ca.crt": certificates.authority_of(self._folder).bundle}
        for name, member in self._leaves.items():
            yield name, folders.read(self._folder / member)

    @property
    def has_ca(self) -> bool:
        """Whether there is a Secret for the CA, whatever is in it."""
        return CA in self._stored

    def ca_age_s(self) -> float:
        """Seconds since the CA's Secret was last changed, by this clock; 0 where that is not noted."""
        try:
            return max(0.0, (datetime.now(UTC) - datetime.fromisoformat(self.note(_WRITTEN) or "")).total_seconds())
        except (ValueError, TypeError):  # nothing, or no time with its zone
            return 0.0

    def note(self, key: str) -> str | None:
        """What is noted on the CA's Secret; None for nothing."""
        return self._stored[CA].annotations.get(key) if CA in self._stored else None

    def take_notes(self, notes: Mapping[str, str]) -> None:
        """Notes on the CA's Secret, which must have been stored.

        Raises:
            ApiError: when it cannot be written.
        """
        if any(self.note(key) != text for key, text in notes.items()):
            self._put(CA, self._stored[CA].data, notes)

    def _put(self, name: str, files: Mapping[str, bytes], notes: Mapping[str, str] | None = None) -> None:
        self._stored[name] = self._api.put(
            self._settings.named(name),
            files,
            replaced=self._stored.get(name),
            annotations=notes,
            kind=TLS if name in self._leaves else OPAQUE,
        )
