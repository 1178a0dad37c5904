"""Models as a kind of worker: their zygote loads them once, and each question gets a worker that shares them."""

from services.pdf.processes.kinds import MODEL, ONE_THREAD, Kind
from services.pdf.processes.limits import Limits
from services.pdf.settings import PdfSettings


def model_kind(settings: PdfSettings) -> Kind:
    """The kind of worker that runs models, started by the first question for one.

    Models run in one thread: a process with threads could not be forked, nor held to the system calls of `text`, and
    the processes of a kind are its share of the machine.
    """
    size = settings.pdf_model_workers
    if not size:
        return Kind(name=MODEL, missing="Models are switched off: PAPERMESH_PDF_MODEL_WORKERS is 0.")
    return Kind(
        name=MODEL,
        profile="model",
        size=size,
        limits=Limits(memory_bytes=settings.pdf_worker_memory_bytes, kept=size),
        without_landlock=settings.pdf_without_landlock,
        on_first_use=True,
        environment={**ONE_THREAD, "ORT_DISABLE_TELEMETRY": "1"},  # ONNX Runtime's wheels report their use otherwise
    )
