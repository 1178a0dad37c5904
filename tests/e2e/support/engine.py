"""The processes of the pdf service, and a document that keeps one of them busy."""

import time
import zlib
from contextlib import suppress
from dataclasses import dataclass

import psutil

from deploy.local import replicas
from tests.e2e.support.deployment import Deployment

_FANOUT, _LEVELS = 10, 9
"""10⁹ times nothing is drawn: minutes of work in a file of two kilobytes."""


@dataclass(frozen=True)
class Engine:
    """One replica of a mesh's pdf service, seen from outside."""

    mesh: Deployment
    number: int = 1
    """The first, the second…"""

    @property
    def name(self) -> str:
        """What the part is called, "pdf-2"."""
        return replicas.name("pdf", self.number)

    def workers(self) -> list[psutil.Process]:
        """The text workers that are there now, children of the process that they are forked from."""
        with suppress(psutil.NoSuchProcess, ValueError):
            children = psutil.Process(self.mesh.stack.part(self.name).pid).children()
            (zygote,) = [child for child in children if '"name":"text"' in "".join(child.cmdline())]
            return [child for child in zygote.children() if child.status() != psutil.STATUS_ZOMBIE]
        return []

    def documents(self) -> int:
        """How many documents are being read."""
        return len(list(self.mesh.stack.folders.work(self.name).glob("document-*")))

    def busy(self) -> list[psutil.Process]:
        """The workers that have a document and compute: any that has just been forked may do the latter."""
        return [worker for worker in self.workers() if self.documents() and _runs(worker)]


def _runs(worker: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(worker.status() == psutil.STATUS_RUNNING)
    return False


def endless_document() -> bytes:
    """A valid document of one page that takes far longer to read than any action may take.

    Its page draws a form ten times, which draws another ten times, and so on; no two calls give the same bytes.
    """
    calls = b"/F Do " * _FANOUT
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</XObject<</F 5 0 R>>>>>>",
        _stream(calls),
    ]
    objects += [
        _stream(calls, b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F %d 0 R>>>>" % (6 + level))
        for level in range(_LEVELS - 1)
    ]
    objects.append(_stream(b"0 0 m", b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]"))
    written = b"%PDF-1.7\n"
    places = []
    for number, content in enumerate(objects, start=1):
        places.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    end = b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (size, len(written))
    return written + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + end + b"%%%d\n" % time.monotonic_ns()


def _stream(data: bytes, entries: bytes = b"") -> bytes:
    packed = zlib.compress(data)
    return b"<<%s/Filter/FlateDecode/Length %d>>\nstream\n%s\nendstream" % (entries, len(packed), packed)
