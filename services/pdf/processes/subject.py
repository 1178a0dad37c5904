"""What a request is about and whose it is: all that the engine knows about a call besides its question."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from services.base.blobs import Namespace
from services.base.flow import NOBODY, Flow

Place = Callable[[Path], Awaitable[None]]
"""Puts a document at a path that does not exist yet; as a hard link if possible."""


class Holder(NamedTuple):
    """Whose a worker is from its first document on: it opens that document for that flow, and nothing else."""

    flow: Flow
    sha256: str


async def nothing(path: Path) -> None:
    """Places no document: there is none."""
    raise FileNotFoundError(path)


@dataclass(frozen=True, slots=True)
class Subject:
    """A document, and the call that asks about it."""

    sha256: str
    """The document's digest; empty for a call about none, whose `place` is `nothing`."""

    place: Place
    """How a worker gets it; for a large document several times, at different paths."""

    flow: Flow = NOBODY
    """On whose behalf the call is: flows take turns at the workers."""

    request_id: str = ""
    """The call's id, for the log."""

    namespace: Namespace = Namespace.UPLOADS
    """Where in the blob store the document stands."""

    password: str = field(default="", repr=False)
    """What opens it; empty for none. With one, nothing of the call is kept: no result, no reading and no worker."""

    @property
    def holder(self) -> Holder | None:
        """The holder whose worker may be asked about it; None if it takes a new worker, for this question alone."""
        return Holder(self.flow, self.sha256) if self.sha256 and not self.password else None
