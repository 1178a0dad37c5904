"""The one kind of channel in the mesh: to Envoy, over mutual TLS."""

from pathlib import Path

import grpc

MAX_RESULT_BYTES = 16 * 1024 * 1024
"""The largest result of an action; what is larger is TOO_LARGE at its engine."""

MAX_RESPONSE_BYTES = MAX_RESULT_BYTES + 64 * 1024
"""The largest response message: a result and what goes around it."""

_OPTIONS = (
    ("grpc.max_send_message_length", MAX_RESPONSE_BYTES),
    ("grpc.max_receive_message_length", MAX_RESPONSE_BYTES),
    # A dead connection is found in half a minute even when no call is under way.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # A signed call bears its nonce once: whoever retries must sign anew, so the channel never does it by itself.
    ("grpc.enable_retries", 0),
    # When Envoy restarts, callers should not wait out a long back-off.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # Envoy is inside the deployment; a company's web proxy (https_proxy) is no way to it.
    ("grpc.enable_http_proxy", 0),
    # One process is one caller; a channel of its own keeps its connection apart from others of the same process.
    ("grpc.use_local_subchannel_pool", 1),
)


def open_channel(address: str, tls_dir: Path) -> grpc.aio.Channel:
    """A channel to one of Envoy's listeners.

    Envoy's certificate is the only one of the mesh with DNS names, so the host name check is enough to know it.

    Args:
        address: "host:port"; the host is a name in Envoy's certificate.
        tls_dir: Folder with tls.crt, tls.key and ca.crt.

    Raises:
        OSError: when one of the files cannot be read.
    """
    credentials = grpc.ssl_channel_credentials(
        root_certificates=(tls_dir / "ca.crt").read_bytes(),
        private_key=(tls_dir / "tls.key").read_bytes(),
        certificate_chain=(tls_dir / "tls.crt").read_bytes(),
    )
    return grpc.aio.secure_channel(address, credentials, options=_OPTIONS)
