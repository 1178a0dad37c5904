"""The engine's version, for the keys of cached results: everything that shapes a result, in one place."""

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def digest_of_sources(folder: Path) -> str:
    """Changes with any source file in the folder.

    It covers all the service's sources, also those that choose pages and join pieces, so that nobody has to remember
    which of them shape a result.
    """
    digest = hashlib.sha256()
    for source in sorted(folder.rglob("*.py")):
        digest.update(source.relative_to(folder).as_posix().encode() + b"\0" + source.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def runtime_version() -> str:
    """Of ONNX Runtime, which runs the layout model that PyMuPDF brings; "none" where it is not installed."""
    try:
        return version("onnxruntime")
    except PackageNotFoundError:
        return "none"


INPUTS: Mapping[str, Callable[[], str]] = {
    "pdf": partial(digest_of_sources, Path(__file__).parent),
    "pymupdf": partial(version, "pymupdf"),
    "numpy": partial(version, "numpy"),
    "pillow": partial(version, "pillow"),
    "splitter": partial(version, "semantic-text-splitter"),
    "re2": partial(version, "google-re2"),
    "onnx": runtime_version,
}
"""What shapes a result wherever it runs, and how to find its version; the service adds what its settings name."""


def engine_version(inputs: Mapping[str, Callable[[], str]] = INPUTS) -> str:
    """Differs whenever a document may read differently: "pdf-3f0a91c2d4e5+pymupdf-1.26.6". At most 256 characters."""
    return "+".join(f"{name}-{find()}" for name, find in inputs.items())
