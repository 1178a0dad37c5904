"""Runs the service: `python -m benchmarks.bare`, with its settings in the environment."""

from pathlib import Path
from typing import Any

import uvloop
from google.protobuf import descriptor_pool
from pydantic import Field

from benchmarks.bare.descriptors import ACTION, SERVICE
from services.base import actions, telemetry
from services.base.call import Call
from services.base.server import Hosted, Server, ServerSettings
from services.base.settings import CommaList, Port


class BareSettings(ServerSettings):
    """What the service reads from its environment."""

    bare_port: Port = Field(description="Port that the service listens on.")
    descriptors: CommaList = Field(description="The file with its descriptor set.")


class BareServicer:
    """Answers the same to every call."""

    def __init__(self, response: Any) -> None:
        """Answers `response`."""
        self._response = response

    async def Nothing(self, request: Any, call: Call) -> Any:  # noqa: ARG002, N802 - as in the proto
        """Answers a constant."""
        return self._response


async def run(settings: BareSettings) -> None:
    """Serves until SIGTERM."""
    table = actions.load(*map(Path, settings.descriptors))
    servicer = BareServicer(table.actions[ACTION].response(json='{"arrived":true}'))
    hosted = [Hosted(descriptor_pool.Default().FindServiceByName(SERVICE), servicer)]
    await Server(settings, settings.bare_port, hosted, behind_mesh=True, table=table).serve()


if __name__ == "__main__":
    bare_settings = BareSettings.read()
    telemetry.start_logging("bare", bare_settings.log_level)
    uvloop.run(run(bare_settings))
