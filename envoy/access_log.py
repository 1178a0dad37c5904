"""The access log: one JSON line a call on both listeners. Who called what and how it went, never the arguments."""

from envoy.message import Message, extension
from envoy.topology import Topology

_FIELDS = {
    "time": "%START_TIME%",
    "path": "%REQ(:PATH):200%",
    "grpc_status": "%GRPC_STATUS(SNAKE_STRING)%",
    "http_status": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "duration_ms": "%DURATION%",
    "cluster": "%UPSTREAM_CLUSTER%",
    "host": "%UPSTREAM_HOST%",
    "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    "peer": "%DOWNSTREAM_PEER_URI_SAN%",
    "client": "%REQ(X-CLIENT):64%",
    "action": "%REQ(X-ACTION):64%",
    "request_id": "%REQ(X-REQUEST-ID):64%",
    "traceparent": "%REQ(TRACEPARENT):64%",
    "bytes_in": "%BYTES_RECEIVED%",
    "bytes_out": "%BYTES_SENT%",
}


def access_log(topology: Topology, listener: str) -> list[Message]:
    """The access loggers of one listener."""
    log_format = {"json_format": {"listener": listener, **_FIELDS}}
    kind, name, where = "stream.v3.StdoutAccessLog", "stdout", {}
    if topology.access_log is not None:
        kind, name, where = "file.v3.FileAccessLog", "file", {"path": topology.access_log}
    return [extension(f"extensions.access_loggers.{kind}", f"access_loggers.{name}", **where, log_format=log_format)]
