"""Runs the adapter: `python -m mcp_adapter`, with its settings in the environment."""

import sys
from contextlib import suppress

import uvicorn

from mcp_adapter.app import create_app
from mcp_adapter.connection import KEEP_ALIVE_S, Connection
from mcp_adapter.settings import AdapterSettings
from services.base import telemetry
from services.base.signature import KeyFileError, read_key_file
from services.base.starting import listen, make_folder, starting


def main() -> None:
    """Reads the settings and serves until SIGTERM."""
    with starting("The adapter", KeyFileError):
        settings = AdapterSettings.read()
        key = read_key_file(settings.key_file)
        make_folder(settings.spool_dir)
        telemetry.start_logging("adapter", settings.log_level)
        with listen(settings.http_host, settings.http_port) as listener:
            server = uvicorn.Server(
                uvicorn.Config(
                    create_app(settings, key),
                    loop="uvloop",
                    http=Connection,
                    ws="none",
                    log_config=None,
                    access_log=False,  # Envoy has a line for every call that goes on
                    proxy_headers=False,  # nobody stands in front of a loopback address
                    server_header=False,
                    timeout_keep_alive=KEEP_ALIVE_S,
                    timeout_graceful_shutdown=settings.drain_s,
                )
            )
            with suppress(KeyboardInterrupt):  # Ctrl-C, which uvicorn passes on once it has stopped
                server.run(sockets=[listener])
    if not server.started:  # uvicorn has logged why
        sys.exit(1)


if __name__ == "__main__":
    main()
