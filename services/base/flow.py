"""On whose behalf a service works, so that it can give everybody a turn: the metadata `x-flow` of a call in the mesh.

A flow is, as in fair queueing, what competes as one: here the calls of one client and actor. dispatch alone says it, of
callers that it has verified; nothing that a caller sends goes on into the mesh.
"""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["Flow"]

HEADER = "x-flow"

_ACTOR_BYTES = 16
"""Of the digest that stands for an actor. Two that shared one would share their turns and their workers; neither chance
nor anybody who tries brings that about."""


class Flow(NamedTuple):
    """Whose calls these are. Both parts are empty where nobody was named: in a call that did not come from dispatch."""

    client: str = ""
    actor: str = ""
    """The same text for the same actor of a client, and no name: a service has no need to know people."""

    @classmethod
    def of(cls, client: str, actor: str) -> "Flow":
        """The flow of an actor of a client."""
        return cls(client, hashlib.sha256(actor.encode()).digest()[:_ACTOR_BYTES].hex())

    @classmethod
    def read(cls, metadata: Iterable[tuple[str, str | bytes]]) -> "Flow":
        """The flow that a call's metadata names."""
        said = next((value for name, value in metadata if name == HEADER), "")
        client, _, actor = said.partition("/") if isinstance(said, str) else ("", "", "")
        return cls(client, actor)

    @property
    def metadata(self) -> tuple[str, str]:
        """What says it to a service."""
        return HEADER, f"{self.client}/{self.actor}"


NOBODY = Flow()
"""Who calls past dispatch, as the operator may on a laptop."""
