"""What may name a person or an agent to the mesh."""

LOCAL_ACTOR = "local"
"""Whoever calls an adapter that does not ask who calls."""

MAX_ACTOR = 256
"""Characters of an actor."""


def is_actor(text: object) -> bool:
    """Whether this can name somebody: 1 to 256 printable characters, with no space around them.

    Two names that look alike would be two owners of documents, and half a surrogate pair cannot be signed.
    """
    return isinstance(text, str) and 0 < len(text) <= MAX_ACTOR and text.isprintable() and text == text.strip()
