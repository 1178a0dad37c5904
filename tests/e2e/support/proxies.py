"""Reverse proxies as people put them in front of the adapter: real ones, which keep their connections to it."""

import json
import os
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from envoy import binary
from tests.e2e.support.waiting import eventually
from tests.support.ports import free_port
from tests.support.programs import needed

_STOP_LIMIT_S = 10

_NGINX = """
{user}
daemon off;
worker_processes 1;
error_log stderr;
pid {folder}/nginx.pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream adapter {{
        server 127.0.0.1:{adapter};
        keepalive 1;
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://adapter;
            proxy_set_header Host $host;
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection "upgrade";
            proxy_request_buffering off;
        }}
    }}
}}
"""
"""With the snippet for WebSockets that is copied everywhere, and one connection to the adapter that is kept."""


@contextmanager
def nginx(folder: Path, adapter: int) -> Iterator[int]:
    """An nginx before the adapter's port; the port that it listens at."""
    program = needed("nginx", "nginx-light")
    port = free_port()
    user = "user root;" if os.geteuid() == 0 else ""  # its worker must get into the folder
    config = folder / "nginx.conf"
    config.write_text(_NGINX.format(user=user, folder=folder, adapter=adapter, port=port))
    with _running([str(program), "-e", "stderr", "-p", str(folder), "-c", str(config)], folder / "nginx.log", port):
        yield port


@contextmanager
def envoy(folder: Path, adapter: int) -> Iterator[int]:
    """An Envoy before the adapter's port, which speaks HTTP/1.1 on both sides; the port that it listens at."""
    port = free_port()
    config = folder / "envoy.json"
    config.write_text(json.dumps(_envoy_config(port, adapter)))
    with _running(binary.command(binary.find(), config), folder / "envoy.log", port):
        yield port


_ALL: dict[str, object] = {"match": {"prefix": "/"}, "route": {"cluster": "adapter"}}
_UPGRADES = {
    "match": {"prefix": "/", "headers": [{"name": "upgrade", "present_match": True}]},
    "route": {"cluster": "adapter", "timeout": "0.5s"},
}
"""Envoy keeps the body of a WebSocket's request back until that is accepted, which nobody here does."""


def _envoy_config(port: int, adapter: int) -> dict[str, object]:
    """With the switches that hand on most: WebSockets, trailers, absolute URLs."""
    http = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    router = "envoy.extensions.filters.http.router.v3.Router"
    options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    manager = {
        "@type": f"type.googleapis.com/{http}",
        "stat_prefix": "adapter",
        "codec_type": "HTTP1",
        "http_protocol_options": {"enable_trailers": True, "allow_absolute_url": True},
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [_UPGRADES, _ALL]}]},
        "http_filters": [{"name": "router", "typed_config": {"@type": f"type.googleapis.com/{router}"}}],
    }
    cluster = {
        "name": "adapter",
        "circuit_breakers": {"thresholds": [{"max_connections": 1}]},
        "typed_extension_protocol_options": {
            options: {
                "@type": f"type.googleapis.com/{options}",
                "explicit_http_config": {"http_protocol_options": {"enable_trailers": True}},
            }
        },
        "load_assignment": {"cluster_name": "adapter", "endpoints": [{"lb_endpoints": [_endpoint(adapter)]}]},
    }
    listener = {
        "address": _address(port),
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
    return {"static_resources": {"listeners": [listener], "clusters": [cluster]}}


def _endpoint(port: int) -> dict[str, object]:
    return {"endpoint": {"address": _address(port)}}


def _address(port: int) -> dict[str, object]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


@contextmanager
def _running(command: Sequence[str], log: Path, port: int) -> Iterator[None]:
    """Waits until it accepts connections, and ends it by its process."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            eventually(lambda: process.poll() is not None or _accepts(port), limit_s=30, what=command[0])
            assert process.poll() is None, log.read_text()
            yield
        finally:
            process.terminate()
            try:
                process.wait(_STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(_STOP_LIMIT_S)


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
