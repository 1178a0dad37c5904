"""What may name a person or an agent to the mesh."""

from services.base import names

LOCAL_ACTOR = "local"
"""Whoever calls an adapter that does not ask who calls."""


def is_actor(text: object) -> bool:
    """Whether this can name somebody: an actor without a space around it, or two owners could look alike."""
    return isinstance(text, str) and names.is_actor(text) and text == text.strip()
