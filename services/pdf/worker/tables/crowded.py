"""Pages on which more is drawn than is looked at."""

from services.pdf.worker import failures
from services.pdf.worker.failures import PageFailure
from services.pdf.worker.readings import Readings

_MESSAGE = "More is drawn on the page than is looked at, so that tables with lines between their cells may be missing."


def with_crowded(readings: Readings) -> list[PageFailure]:
    """The pages that could not be read and those on which tables may be missing, in order."""
    crowded = [failures.too_large(page, _MESSAGE) for page, reading in readings.items() if reading.is_crowded]
    return sorted([*readings.failures, *crowded], key=lambda failure: failure["page"])
