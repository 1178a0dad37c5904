"""The version of each service's engine, so that no result of another version is ever served."""

import asyncio
import logging
from collections.abc import Iterable

import grpc
from google.protobuf.message import DecodeError

from papermesh.engine.v1 import engine_service_pb2 as pb
from services.base.handlers import ENGINE
from services.base.names import MAX_ENGINE

_log = logging.getLogger(__name__)

_METHOD = "/papermesh.engine.v1.EngineService/GetEngine"
_TIMEOUT_S = 2.0

EVERY_S = 2.0
"""How long after the last replica's upgrade a cached result of the old engine may still be served."""

_AGAIN_S = 0.2
"""How soon a service that never answered is asked again: until it does, the cache is of no use to its callers."""


class Engines:
    """What each service last said about its engine: asked regularly, and read from every answer too."""

    def __init__(self, channel: grpc.aio.Channel, services: Iterable[str]) -> None:
        """Asks `services`, full names, through `channel`."""
        self._ask = channel.unary_unary(_METHOD, pb.GetEngineRequest.SerializeToString, _version)
        self._versions = dict.fromkeys(services, "")
        self._answered: set[str] = set()

    def version(self, service: str) -> str:
        """The version of a service's engine. Empty while unknown; then nothing is read from the cache."""
        return self._versions[service]

    def learn(self, service: str, version: str) -> None:
        """Learns the version that came with an answer; ignores one that is too long."""
        if 0 < len(version) <= MAX_ENGINE and version != self._versions[service]:
            _log.info("engine", extra={"fields": {"service": service, "version": version}})
            self._versions[service] = version

    async def run(self, every_s: float = EVERY_S) -> None:
        """Keeps asking every service until it is cancelled."""
        while True:
            await asyncio.gather(*map(self._refresh, self._versions))
            await asyncio.sleep(every_s if self._answered >= self._versions.keys() else min(_AGAIN_S, every_s))

    async def _refresh(self, service: str) -> None:
        try:
            version = await self._ask(
                pb.GetEngineRequest(service=service), metadata=(("x-service", service),), timeout=_TIMEOUT_S
            )
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.UNIMPLEMENTED:  # it names no engine, or is older than this question
                self._answered.add(service)
            return  # what was known stays
        self._answered.add(service)
        self.learn(service, version)


def _version(answer: bytes) -> str:
    """The version in an answer; empty for a broken one: a service with a bug must not end dispatch."""
    try:
        return str(pb.GetEngineResponse.FromString(answer).version)
    except DecodeError:
        return ""


def engine_of(trailing: Iterable[tuple[str, str | bytes]]) -> str:
    """The version in an answer's trailing metadata; empty if there is none."""
    return next((str(value) for key, value in trailing if key == ENGINE), "")
