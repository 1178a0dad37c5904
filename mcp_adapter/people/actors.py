"""The names of people and agents in the mesh."""

from services.base import names

LOCAL_ACTOR = "local"
"""The actor of every call to an adapter that does not ask who calls."""


def is_actor(text: object) -> bool:
    """Whether this can name somebody: an actor, without a space at either end, or two owners could look alike."""
    return isinstance(text, str) and names.is_actor(text) and text == text.strip()
