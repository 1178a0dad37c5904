"""What the pdf service reads from its environment."""

import os
from pathlib import Path

from pydantic import Field

from services.base.server import ServerSettings
from services.base.settings import BlobsUrl, Port
from services.pdf.embedding.models import MAX_DIMENSION


class PdfSettings(ServerSettings):
    """The settings of the pdf service; docs/settings.md lists them with those of the other parts."""

    pdf_port: Port = Field(9102, description="Port that the pdf service listens on.")
    blobs_url: BlobsUrl = Field(description="The blob store, file:///folder or s3://bucket/prefix.")
    work_dir: Path = Field(
        description="Folder of this process alone for documents being read. On the blob store's file system, none "
        "is copied."
    )
    pdf_workers: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        le=256,
        description="Documents that are read at a time, each by its own process. One per processor unless set.",
    )
    pdf_kept_workers: int = Field(
        20,
        ge=0,
        le=1000,
        description=(
            "Worker processes that are kept for a minute for the same caller's next question about the same document; "
            "each takes 2 to 18 MiB. With 0, every question starts a new one, at about 10 ms of processor time."
        ),
    )
    pdf_worker_memory_bytes: int = Field(
        1024**3,
        ge=256 * 1024**2,
        description="Address space that a document may take in a worker, in bytes; one that needs more is ENGINE_FAIL.",
    )
    pdf_ocr_workers: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=0,
        le=256,
        description=(
            "Pages whose text is recognised at a time, each by its own process. One per processor unless set; with 0, "
            "no text is recognised."
        ),
    )
    pdf_tesseract: str = Field(
        "",
        description=(
            "Path of the Tesseract that recognises text; its last part is tesseract. If empty, the one in /usr/bin or "
            "/usr/local/bin. Without any, everything else works."
        ),
    )
    pdf_ocr_data: str = Field("", description="Folder of Tesseract's models; if empty, Tesseract's own.")
    pdf_model_workers: int = Field(
        1,
        ge=0,
        le=256,
        description=(
            "Questions for a model that are answered at a time, each by its own process: texts that become vectors. "
            "The first one starts them, and all share the models' memory, about 400 MiB; with 0, there are none."
        ),
    )
    pdf_embed_url: str = Field(
        "",
        description=(
            "Base URL of an OpenAI-compatible endpoint for embeddings, https://host/v1. Texts that are to become "
            'vectors by the model "endpoint" are sent there; if empty, no text leaves the service.'
        ),
    )
    pdf_embed_model: str = Field("", max_length=128, description="The name of the endpoint's model.")
    pdf_embed_key_file: Path | None = Field(
        None, description="The file with the key for the endpoint; without one, it is called without a key."
    )
    pdf_embed_dimension: int = Field(
        0,
        ge=0,
        le=MAX_DIMENSION,
        description="Numbers in each of the endpoint's vectors. With 0, as many as in its first answer.",
    )
    pdf_embed_timeout_s: float = Field(
        20.0, gt=0, le=40, description="Seconds in which the endpoint must answer for 32 texts."
    )
    pdf_readings_bytes: int = Field(
        1024**3,
        ge=0,
        lt=2**53,
        description=(
            "What readings of pages may take in the work folder, in bytes: about 130,000 pages (docs/documents.md). "
            "With 0, only recognised pages are kept, in the blob store."
        ),
    )
    pdf_without_landlock: bool = Field(
        default=False,
        description=(
            "Start even if the kernel has no Landlock (Linux has it since 5.13). Then only the system call filter "
            "keeps a document that takes over a worker from files and the network, and no text is recognised."
        ),
    )
