"""Runs dispatch: `python -m services.dispatch`, with its settings in the environment."""

from pathlib import Path

import uvloop
from google.protobuf.message import DecodeError

from papermesh.dispatch.v1 import dispatch_service_pb2
from services.base import actions, telemetry
from services.base.actions import ActionTable, ContractError, Rate
from services.base.blobs import BlobStore
from services.base.channel import open_channel
from services.base.server import Hosted, Server
from services.base.starting import StartError, make_folder, starting
from services.dispatch import clients, leftovers
from services.dispatch.clients import ClientsFileError
from services.dispatch.router import Router
from services.dispatch.servicer import DispatchServicer
from services.dispatch.settings import DispatchSettings
from services.dispatch.state import State
from services.dispatch.verification import Verifier


async def run(settings: DispatchSettings) -> None:
    """Serves until SIGTERM."""
    table = _table(settings)
    make_folder(settings.spool_dir)
    leftovers.remove(settings.spool_dir, settings.blobs_url)
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
        await Server(settings, settings.dispatch_port, hosted, behind_mesh=False, table=table).serve(state.answers)
    await state.close()


def _table(settings: DispatchSettings) -> ActionTable:
    """The action table, which knows every service that the settings name: a name mistyped would list no action."""
    try:
        table = actions.load(*map(Path, settings.descriptors))
    except DecodeError:
        raise StartError("PAPERMESH_DESCRIPTORS is wrong: one of its files is no descriptor set.") from None
    known = {method.service for method in table.methods.values()}
    if unknown := sorted(set(settings.services) - known):
        raise StartError(f"PAPERMESH_SERVICES is wrong: no descriptor set has {', '.join(unknown)}.")
    return table


def main() -> None:
    """Reads the settings and runs."""
    with starting("dispatch", ClientsFileError, ContractError):
        settings = DispatchSettings.read()
        telemetry.start_logging("dispatch", settings.log_level)
        uvloop.run(run(settings))


if __name__ == "__main__":
    main()
