"""Runs the adapter: `python -m mcp_adapter`, with its settings in the environment."""

import sys

import uvicorn

from mcp_adapter.app import create_app
from mcp_adapter.settings import AdapterSettings
from services.base import telemetry
from services.base.settings import SettingsError
from services.base.signature import KeyFileError, read_key_file


def main() -> None:
    """Reads the settings and serves until SIGTERM."""
    try:
        settings = AdapterSettings.read()
        key = read_key_file(settings.key_file)
    except (SettingsError, KeyFileError) as error:
        sys.exit(f"The adapter cannot start.\n{error}")
    telemetry.start_logging("adapter", settings.log_level)
    uvicorn.run(
        create_app(settings, key),
        host=settings.http_host,
        port=settings.http_port,
        loop="uvloop",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,  # Envoy has a line for every call that goes on
        proxy_headers=False,  # nobody stands in front of a loopback address
        server_header=False,
        timeout_graceful_shutdown=settings.drain_s,
    )


if __name__ == "__main__":
    main()
