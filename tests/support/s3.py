"""An S3 server of a test's own, with a bucket, and the environment that leads to it."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from moto.server import ThreadedMotoServer


@contextmanager
def bucket() -> Iterator[str]:
    """The URL of an empty bucket for as long as the block lasts."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        # The server loads what it needs with the first request, which on a busy machine takes longer than httpx waits.
        httpx.put(f"{endpoint}/documents", timeout=60).raise_for_status()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_ENDPOINT", endpoint)
            patch.setenv("AWS_ALLOW_HTTP", "true")
            patch.setenv("AWS_REGION", "us-east-1")
            patch.setenv("AWS_ACCESS_KEY_ID", "key")
            patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
            yield "s3://documents/prefix"
    finally:
        server.stop()
