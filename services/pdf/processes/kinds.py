"""The kinds of worker: what their processes know and may do, and how many of them work at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.pdf.processes.limits import Limits

TEXT = "text"
"""The kind that reads what a document says by itself."""


@dataclass(frozen=True, slots=True)
class View:
    """What a worker runs for an operation."""

    function: str
    """"module:function"; only workers import it. `services.pdf.worker.views` says what it takes and returns."""

    paged: bool = False
    """Whether it reads one page at a time, and not the whole document."""

    warm_up: Mapping[str, Any] = field(default_factory=dict)
    """Its arguments on the zygote's own small document, before the first fork."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of worker. Each has a zygote of its own, which imports what the operations of this kind need."""

    name: str = TEXT
    profile: str = "text"
    """Its system calls, by their name in `services.pdf.worker.sandbox.profiles`."""

    size: int = 1
    """Documents that are read at a time, each by a process of its own."""

    limits: Limits = field(default_factory=Limits)
    without_landlock: bool = False
    """Whether a worker may do without Landlock where the kernel has none."""

    on_first_use: bool = False
    """Whether it is started by the first request that needs it, and not with the service."""
