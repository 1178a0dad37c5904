"""The version of the engine, for the keys of cached results: the code that shapes them, and its library."""

import hashlib
from importlib.metadata import version
from pathlib import Path

_SOURCES = Path(__file__).parent


def engine_version(sources: Path = _SOURCES) -> str:
    """Differs whenever a document may read differently: "pdf-3f0a91c2d4e5+pymupdf-1.26.6".

    All sources of the service are part of it, those that read a document and those that choose its pages and join its
    pieces, so that nobody has to remember which of them shape a result. `sources` is the folder of this package.
    """
    digest = hashlib.sha256()
    for source in sorted(sources.rglob("*.py")):
        digest.update(source.relative_to(sources).as_posix().encode() + b"\0" + source.read_bytes() + b"\0")
    return f"pdf-{digest.hexdigest()[:12]}+pymupdf-{version('pymupdf')}"
