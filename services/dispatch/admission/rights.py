"""What an actor may do: its client's rights, narrowed by the grants that name the actor (docs/clients.md)."""

import fnmatch
import re
from collections.abc import Iterable
from dataclasses import dataclass


class Globs:
    """Compiled globs: `*` matches any text, `?` any character, `[…]` one of these.

    A glob matches a whole text and is case-sensitive. It knows no separators: `*` also crosses a slash, an @ and a line
    feed.
    """

    __slots__ = ("_pattern",)

    def __init__(self, globs: Iterable[str]) -> None:
        """Compiles them; without globs, nothing matches."""
        self._pattern = re.compile("|".join(map(fnmatch.translate, globs)) or "(?!)")

    def match(self, text: str) -> bool:
        """Whether one of the globs matches the text."""
        return self._pattern.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Allowance:
    """Actions and projects, from one list of the clients file."""

    actions: Globs
    projects: Globs


@dataclass(frozen=True, slots=True)
class Rights:
    """What one actor of a client may do."""

    client: Allowance
    """The client's own lists; no grant goes beyond them."""

    granted: tuple[Allowance, ...] | None
    """What the grants that name the actor allow together; None if only the client's own lists decide."""

    @property
    def are_none(self) -> bool:
        """Whether no grant names the actor; then it may not even upload."""
        return self.granted == ()

    def may_invoke(self, action: str) -> bool:
        """Whether the actor may call the action."""
        return self.client.actions.match(action) and (
            self.granted is None or any(grant.actions.match(action) for grant in self.granted)
        )

    def may_read_project(self, project_path: str) -> bool:
        """Whether the actor may read the GitLab project."""
        return self.client.projects.match(project_path) and (
            self.granted is None or any(grant.projects.match(project_path) for grant in self.granted)
        )
