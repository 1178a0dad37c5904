"""What a service behind the mesh listener says of its engine; `Server` hosts it beside the service's own methods."""

from collections.abc import Collection

from papermesh.engine.v1 import engine_service_pb2 as pb
from services.base.call import Call
from services.base.errors import Code, PapermeshError


class EngineServicer:
    """EngineService for the services of one process."""

    def __init__(self, version: str, services: Collection[str]) -> None:
        """Answers `version` for any of `services`, full names."""
        self._version = version
        self._services = frozenset(services)

    async def GetEngine(self, request: pb.GetEngineRequest, _call: Call) -> pb.GetEngineResponse:  # noqa: N802 - as in the proto
        """Tells the version."""
        if request.service not in self._services:
            raise PapermeshError(Code.NOT_FOUND, "This process does not serve that service. Check x-service.")
        return pb.GetEngineResponse(version=self._version)
