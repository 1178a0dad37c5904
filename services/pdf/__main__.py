"""Runs the pdf service: `python -m services.pdf`, with its settings in the environment."""

import logging
from contextlib import aclosing

import uvloop

from papermesh.pdf.v1 import pdf_service_pb2
from services.base import actions, telemetry
from services.base.blobs import BlobStore
from services.base.server import Hosted, Server
from services.base.starting import make_folder, starting
from services.pdf.comparison import Comparison
from services.pdf.embedding.embedding import Embedding, models_version
from services.pdf.embedding.endpoint import Endpoint
from services.pdf.embedding.models import installed
from services.pdf.engine import Engine
from services.pdf.engine_version import INPUTS, engine_version, runtime_version
from services.pdf.model_kind import model_kind
from services.pdf.ocr_kind import ocr_kind
from services.pdf.operations import LAYOUT_BOXES, OPERATIONS, STEPS
from services.pdf.page_images import KeptImages
from services.pdf.processes.kinds import OCR, Kind
from services.pdf.processes.limits import Limits
from services.pdf.processes.pools import Pools
from services.pdf.reader import Reader
from services.pdf.readings.readings import Readings
from services.pdf.recognition import Recognition
from services.pdf.reports import ReportsOfComparisons
from services.pdf.retrieval.passages import PassageMaker
from services.pdf.retrieval.retrieval import Retrieval
from services.pdf.servicer import PdfServicer
from services.pdf.settings import PdfSettings

_LOG = logging.getLogger(__name__)


async def run(settings: PdfSettings) -> None:
    """Serves until SIGTERM."""
    make_folder(settings.work_dir)
    text = Kind(
        size=settings.pdf_workers,
        limits=Limits(memory_bytes=settings.pdf_worker_memory_bytes, kept=settings.pdf_kept_workers),
        without_landlock=settings.pdf_without_landlock,
    )
    ocr, tesseract = ocr_kind(settings)
    if ocr.missing:
        _LOG.warning("scans are not read. %s", ocr.missing)
    reads = engine_version({**INPUTS, "tesseract": lambda: tesseract.version if tesseract else "none"})
    models, endpoint = installed(), Endpoint(settings) if settings.pdf_embed_url else None
    names = [each.id for each in (*models.values(), endpoint) if each] or "none"
    steps = [step for step in STEPS if step is not LAYOUT_BOXES or runtime_version() != "none"]
    _LOG.info("models for vectors: %s; runtime of the layout model: %s", names, runtime_version())
    version = f"{reads}+models-{models_version(models, endpoint)}"  # what is read does not depend on them: it is kept
    blobs = BlobStore(settings.blobs_url)
    readings = Readings(settings.work_dir / "readings", blobs, reads, settings.pdf_readings_bytes)
    async with (
        readings,
        Pools([text, ocr, model_kind(settings)], [*OPERATIONS, *steps], settings.work_dir) as pools,
        aclosing(Recognition(pools, readings)) as recognition,
        aclosing(Embedding(pools, models, endpoint)) as embedding,
    ):
        reader = Reader(pools, recognition, readings)
        engine = Engine(pools, recognition, reader)
        comparison = Comparison(pools, recognition, reader, version)
        languages = tesseract.languages if tesseract else ()
        finish = {"RenderPage": KeptImages(blobs, reads).answer}
        reports = ReportsOfComparisons(blobs, pools, engine, comparison, version)
        servicer = PdfServicer(
            OPERATIONS,
            engine,
            blobs,
            comparison=comparison,
            reports=reports,
            retrieval=Retrieval(embedding, PassageMaker(engine, embedding, readings)),
            languages=languages,
            finish=finish,
        )
        hosted = [Hosted(pdf_service_pb2.DESCRIPTOR.services_by_name["PdfService"], servicer)]

        async def has_workers() -> bool:
            if pools.is_ready:
                pools.start_soon(OCR)  # only now: it must not hold up the service's own start
            return pools.is_ready

        server = Server(settings, settings.pdf_port, hosted, table=actions.load(), behind_mesh=True, engine=version)
        await server.serve(has_workers)


def main() -> None:
    """Reads the settings and runs."""
    with starting("pdf"):
        settings = PdfSettings.read()
        telemetry.start_logging("pdf", settings.log_level)
        uvloop.run(run(settings))


if __name__ == "__main__":
    main()
