"""What fails on our side. It is never told as the caller's fault, and never without a trace for the operator.

The caller gets an error whose `reason` docs/errors.md explains. The operator gets a line of the log at the level ERROR
with the same reason in its field `fault`, which an alert can look for, and how often this process has met it.
"""

import errno
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

from services.base.errors import Code, PapermeshError

COUNTS: Counter[str] = Counter()
"""How often this process has met each fault, by its reason."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ESTALE})

_RETRY_MS = 5000
"""Nobody knows when a disk has room again; this keeps callers from asking all the time."""

_log = logging.getLogger(__name__)


class Disk(Enum):
    """A folder that we need for a call: what its reasons begin with, and what it is called in an answer."""

    SPOOL = "spool", "The folder where uploads wait"
    STORE = "store", "The document store"
    WORK = "work", "The folder of the document engine"


def own_fault(
    reason: str, message: str, *, code: Code = Code.UNAVAILABLE, retry_after_ms: int | None = None, **fields: object
) -> PapermeshError:
    """Tells the operator of a fault, and returns the error for the caller.

    Args:
        reason: What docs/errors.md lists it by, "spool_full".
        message: For the caller; the operator reads it too.
        code: UNAVAILABLE, unless the same call would fail for as long as nobody does anything.
        retry_after_ms: When the same call may succeed.
        fields: More for the operator alone.
    """
    COUNTS[reason] += 1
    _log.error("%s", message, extra={"fields": {"fault": reason, "count": COUNTS[reason], **fields}})
    return PapermeshError(code, message, retry_after_ms=retry_after_ms, details={"reason": reason})


def disk_fault(disk: Disk, error: OSError) -> PapermeshError:
    """What the system refused in one of our folders: it is full, gone, or cannot be used for another reason."""
    name, noun = disk.value
    if error.errno in _FULL:
        state, says = "full", "is full"
    elif error.errno in _GONE:
        state, says = "gone", "is gone"
    else:
        state, says = "failed", "cannot be used"
    reason = f"{name}_{state}"
    message = f"{noun} {says}. Try again later, and tell whoever runs Papermesh: {reason}."
    return own_fault(reason, message, retry_after_ms=_RETRY_MS, error=str(error))


@contextmanager
def using(disk: Disk) -> Iterator[None]:
    """Translates what the system refuses in the block.

    Raises:
        PapermeshError: UNAVAILABLE with the reason.
    """
    try:
        yield
    except OSError as error:
        raise disk_fault(disk, error) from error
