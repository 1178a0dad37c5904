"""The kinds of worker: what their processes know and may do, and how many work at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.pdf.processes.limits import Limits

TEXT = "text"
"""The kind that reads a document's own text."""

OCR = "ocr"
"""The kind that recognises the text of pictures."""

MODEL = "model"
"""The kind that runs models which learned: texts as vectors, and where the blocks of a page are."""

ONE_THREAD = {"OMP_THREAD_LIMIT": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""The environment of a kind whose libraries would use all processors. Its processes are its share of the machine, and
its zygote must have one thread to be forked."""


@dataclass(frozen=True, slots=True)
class View:
    """What a worker runs for an operation."""

    function: str
    """"module:function"; only workers import it. `services.pdf.worker.views` describes its arguments and result."""

    readings: bool = False
    """Whether it takes what was read of pages, instead of the document."""

    content: bool = False
    """Whether it takes its arguments alone, `wire.CONTENT` among them: then its worker opens no document."""

    pair: bool = False
    """Whether that content is what was read of two documents."""

    warm_up: Mapping[str, Any] = field(default_factory=dict)
    """Its arguments for the zygote's own small document, before the first fork."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What a kind's workers reach by name, to read or to run; they write no file. They never work without Landlock."""

    execute: Sequence[str] = ()
    """Programs and their ELF interpreters."""

    read: Sequence[str] = ()
    """Files, and folders with all below them."""

    profile: str
    """The system calls of the programs: a name in `services.pdf.worker.sandbox.profiles`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of worker. Each has its own zygote, which imports what the kind's operations need."""

    name: str = TEXT
    profile: str = "text"
    """Its allowed system calls: a name in `services.pdf.worker.sandbox.profiles`."""

    size: int = 1
    """Documents that are read at a time, each by its own process."""

    limits: Limits = field(default_factory=Limits)
    niceness: int = 0
    """By how much its processes give way to others where processors are short, from 0 to 19 (nice(2))."""

    without_landlock: bool = False
    """Whether a worker may do without Landlock if the kernel has none."""

    on_first_use: bool = False
    """Whether the first request that needs it starts it, or `Pools.start_soon`, and the service is ready before."""

    reach: Reach | None = None
    """None for a kind that reaches no file by name."""

    environment: Mapping[str, str] = field(default_factory=dict)
    """The variables of its zygote and workers."""

    missing: str = ""
    """Why it cannot work here, as a sentence for callers that says what to do about it; empty if it can."""

    @property
    def starts_with_service(self) -> bool:
        """Whether the service is not ready without it."""
        return not (self.on_first_use or self.missing)
