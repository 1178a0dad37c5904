"""Runs the pdf service: `python -m services.pdf`, with its settings in the environment."""

import sys

import uvloop

from papermesh.pdf.v1 import pdf_service_pb2
from services.base import actions, telemetry
from services.base.blobs import BlobStore
from services.base.server import Hosted, Server
from services.base.settings import SettingsError
from services.pdf.engine import Engine
from services.pdf.limits import Limits
from services.pdf.pool import WorkerPool
from services.pdf.servicer import PdfServicer
from services.pdf.settings import PdfSettings


async def run(settings: PdfSettings) -> None:
    """Serves until SIGTERM."""
    limits = Limits(memory_bytes=settings.pdf_worker_memory_bytes)
    async with WorkerPool(settings.pdf_workers, settings.work_dir, limits) as pool:
        servicer = PdfServicer(Engine(pool), BlobStore(settings.blobs_url))
        hosted = [Hosted(pdf_service_pb2.DESCRIPTOR.services_by_name["PdfService"], servicer)]
        await Server(settings, settings.pdf_port, hosted, behind_mesh=True, table=actions.load()).serve()


def main() -> None:
    """Reads the settings and runs."""
    try:
        settings = PdfSettings.read()
    except SettingsError as error:
        sys.exit(f"pdf cannot start.\n{error}")
    telemetry.start_logging("pdf", settings.log_level)
    uvloop.run(run(settings))


if __name__ == "__main__":
    main()
