"""The version of the engine, for the keys of cached results: the code that reads documents, and its library."""

import hashlib
from importlib.metadata import version
from pathlib import Path

_WORKER = Path(__file__).parent / "worker"


def engine_version() -> str:
    """Differs whenever a document may read differently: "pdf-3f0a91c2d4e5+pymupdf-1.26.6".

    The worker's own sources are part of it, so that nobody has to remember to count a number up.
    """
    sources = hashlib.sha256()
    for source in sorted(_WORKER.rglob("*.py")):
        sources.update(source.relative_to(_WORKER).as_posix().encode() + b"\0" + source.read_bytes() + b"\0")
    return f"pdf-{sources.hexdigest()[:12]}+pymupdf-{version('pymupdf')}"
