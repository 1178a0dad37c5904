"""Runs the adapter: `python -m mcp_adapter`, with its settings in the environment."""

import sys

import uvicorn

from mcp_adapter.app import create_app
from mcp_adapter.http.connection import Connection
from mcp_adapter.http.limits import KEEP_ALIVE_S
from mcp_adapter.http.peers import Peers
from mcp_adapter.http.probes import Probes
from mcp_adapter.http.server import NOTICE_S, HttpServer
from mcp_adapter.http.socket_activation import handed_over
from mcp_adapter.settings import AdapterSettings
from services.base import telemetry
from services.base.starting import listen, make_folder, starting
from services.base.tls_files import TlsFiles


def main() -> None:
    """Reads the settings and serves until SIGTERM."""
    with starting("The adapter"):
        settings = AdapterSettings.read()
        # When the channel reads them, it is too late for a sentence.
        TlsFiles.read(settings.tls_dir).check(settings.tls_dir)
        make_folder(settings.spool_dir)
        telemetry.start_logging("adapter", settings.log_level)
        shared = handed_over(settings.http_host, settings.http_port)
        probes = Probes(listen(settings.http_host, settings.probe_port)) if settings.probe_port else None
        with shared or listen(settings.http_host, settings.http_port) as listener:
            config = uvicorn.Config(
                create_app(settings),
                loop="uvloop",
                http=Connection,
                ws="none",
                log_config=None,
                access_log=False,  # Envoy has a line for every call that goes on
                proxy_headers=False,  # they are heeded only where somebody is counted by them
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_S,
            )
            server = HttpServer(
                config,
                notice_s=0 if shared else NOTICE_S,
                drain_s=settings.drain_s,
                peers=Peers(settings.http_proxies),
                probes=probes,
            )
            server.run(sockets=[listener])
    if not server.started:  # uvicorn has logged why
        sys.exit(1)


if __name__ == "__main__":
    main()
