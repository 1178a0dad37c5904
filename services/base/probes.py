"""Health for whoever has no certificate: the kubelet, whose gRPC probes speak no TLS (kubernetes#119093).

It says on a port of its own whether calls may be sent here and whether this process lives, and nothing else.
"""

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from services.base.starting import taken

READINESS = ""
"""The service to ask whether calls may be sent here, gRPC's own name for the server as a whole."""

LIVENESS = "liveness"
"""The service to ask whether the process lives: SERVING for as long as its event loop turns, whatever it depends on."""

_OPTIONS = (
    # A question is a few bytes, and who asks is one kubelet.
    ("grpc.max_receive_message_length", 1024),
    ("grpc.max_concurrent_streams", 16),
    ("grpc.so_reuseport", 0),
)


class Probes:
    """A server without TLS that answers grpc.health.v1 alone."""

    def __init__(self, host: str, port: int) -> None:
        """Takes the port, or a free one for 0, and listens when it is started.

        Raises:
            StartError: when the port cannot be had.
        """
        self._health = health.aio.HealthServicer()
        self._server = grpc.aio.server(options=_OPTIONS)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        try:
            self.port = self._server.add_insecure_port(f"{host}:{port}")
        except RuntimeError:  # all that grpc says is that it failed
            raise taken(host, port) from None

    async def start(self, *, serving: bool) -> None:
        """Starts to listen, and to answer."""
        await self.set_serving(serving=serving)
        await self._health.set(LIVENESS, health_pb2.HealthCheckResponse.SERVING)
        await self._server.start()

    async def set_serving(self, *, serving: bool) -> None:
        """Takes what `READINESS` answers from now on."""
        state = health_pb2.HealthCheckResponse.SERVING if serving else health_pb2.HealthCheckResponse.NOT_SERVING
        await self._health.set(READINESS, state)

    async def stop(self) -> None:
        """Ends at once: who asks now learns the rest from that nobody answers."""
        await self._server.stop(None)
