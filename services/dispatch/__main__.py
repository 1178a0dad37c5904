"""Runs dispatch: `python -m services.dispatch`, with its settings in the environment."""

import sys
from pathlib import Path

import uvloop

from papermesh.dispatch.v1 import dispatch_service_pb2
from services.base import actions, telemetry
from services.base.actions import Rate
from services.base.blobs import BlobStore
from services.base.channel import open_channel
from services.base.server import Hosted, Server
from services.base.settings import SettingsError
from services.dispatch import clients
from services.dispatch.clients import ClientsFileError
from services.dispatch.router import Router
from services.dispatch.servicer import DispatchServicer
from services.dispatch.settings import DispatchSettings
from services.dispatch.state import State
from services.dispatch.verification import Verifier


async def run(settings: DispatchSettings) -> None:
    """Serves until SIGTERM."""
    table = actions.load(*map(Path, settings.descriptors))
    settings.spool_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    state = State(settings.redis_state_url, settings.rate_scale)
    async with open_channel(settings.mesh_address, settings.tls_dir) as channel:
        servicer = DispatchServicer(
            Verifier(settings.audience, clients.load(settings.clients_file)),
            state,
            Router(channel, table.listed(settings.services)),
            BlobStore(settings.blobs_url),
            client_rate=Rate(settings.client_requests_per_minute, settings.client_burst),
            spool_dir=settings.spool_dir,
            max_document_bytes=settings.max_document_bytes,
        )
        hosted = [Hosted(dispatch_service_pb2.DESCRIPTOR.services_by_name["DispatchService"], servicer)]
        await Server(settings, settings.dispatch_port, hosted, behind_mesh=False, table=table).serve()
    await state.close()


def main() -> None:
    """Reads the settings and runs."""
    try:
        settings = DispatchSettings.read()
        telemetry.start_logging("dispatch", settings.log_level)
        uvloop.run(run(settings))
    except (SettingsError, ClientsFileError) as error:
        sys.exit(f"dispatch cannot start.\n{error}")


if __name__ == "__main__":
    main()
