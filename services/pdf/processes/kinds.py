"""The kinds of worker: what their processes know and may do, and how many work at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.pdf.processes.limits import Limits

TEXT = "text"
"""The kind that reads a document's own text."""

OCR = "ocr"
"""The kind that reads pictures of pages."""


@dataclass(frozen=True, slots=True)
class View:
    """What a worker runs for an operation."""

    function: str
    """"module:function"; only workers import it. `services.pdf.worker.views` describes its arguments and result."""

    paged: bool = False
    """Whether it reads one page at a time, instead of the whole document."""

    warm_up: Mapping[str, Any] = field(default_factory=dict)
    """Its arguments for the zygote's own small document, before the first fork."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of worker. Each has its own zygote, which imports what the kind's operations need."""

    name: str = TEXT
    profile: str = "text"
    """Its allowed system calls: a name in `services.pdf.worker.sandbox.profiles`."""

    size: int = 1
    """Documents that are read at a time, each by its own process."""

    limits: Limits = field(default_factory=Limits)
    without_landlock: bool = False
    """Whether a worker may do without Landlock if the kernel has none."""

    on_first_use: bool = False
    """Whether the first request that needs it starts it, instead of the service."""
