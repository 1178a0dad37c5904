"""The certificates as Secrets, and as the folder that `services.base.certificates` works on.

A Secret for every folder of the layout, with the folder's files: <release>-ca, <release>-tls-<workload>,
<release>-tls-client-<name>. The folder is a copy for as long as the Job runs.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from deploy.kubernetes.api_server import OPAQUE, TLS, ApiServer, Secret
from deploy.kubernetes.job import JobSettings
from services.base.certificates import folder as folders
from services.base.setting_kinds import TLS_FILES

CA = "ca"

_WRITTEN = "papermesh/ca-written"
_CA_FILES = ("ca.crt", "ca.key", "next.crt", "next.key", "previous.crt")


class Shelf:
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
        # The CA comes first, when they are stored: a leaf of a CA that was lost would be issued once more.
        self._names = (CA, *members)
        self._stored: dict[str, Secret] = {}

    def fetch(self) -> None:
        """Lays the Secrets that there are out as folders.

        Raises:
            ApiError: when one cannot be read.
            OSError: when the folder cannot be written.
        """
        for name in self._names:
            found = self._api.secret(self._secret_name(name))
            if found is None:
                continue
            self._stored[name] = found
            known = _CA_FILES if name == CA else TLS_FILES
            folders.publish(self._folder / name, {file: found.data[file] for file in known if file in found.data})

    def store(self) -> tuple[str, ...]:
        """Writes what has changed in the folder since, and returns the names of the Secrets written.

        Raises:
            ApiError: when one cannot be written.
            OSError: when the folder cannot be read.
        """
        written = []
        for name in self._names:
            files, found = folders.read(self._folder / name), self._stored.get(name)
            if found is None or files != found.data:
                self._put(name, files, {_WRITTEN: datetime.now(UTC).isoformat()} if name == CA else None)
                written.append(self._secret_name(name))
        return tuple(written)

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
            self._secret_name(name),
            files,
            replaced=self._stored.get(name),
            annotations=notes,
            kind=OPAQUE if name == CA else TLS,
        )

    def _secret_name(self, name: str) -> str:
        return self._settings.named(CA if name == CA else f"tls-{name.replace('/', '-')}")
