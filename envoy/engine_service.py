"""EngineService, which every service on the mesh answers under the same name; the metadata x-service says whose."""

from envoy.message import Message

NAME = "papermesh.engine.v1.EngineService"


def asks(service: str) -> Message:
    """A header matcher for calls that ask about `service`, its full name.

    It matches if any one of several x-service is this service.
    """
    return {"name": "x-service", "string_match": {"exact": service}}
