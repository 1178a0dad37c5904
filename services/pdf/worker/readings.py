"""The pages that a view is made from, as they were read."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from services.pdf.processes.wire import CONTENT
from services.pdf.worker import failures
from services.pdf.worker.failures import PageFailure
from services.pdf.worker.words import Reading, from_bytes


class UnfitReadingsError(Exception):
    """Some of the readings are none; the service has those pages read again."""

    def __init__(self, pages: Sequence[int]) -> None:
        super().__init__(f"no readings: {pages}")
        self.pages = pages


class Readings(Mapping[int, Reading]):
    """Readings by page number, in the order of the pages. A page that could not be read is among the `failures`."""

    def __init__(
        self, page_count: int, asked: Sequence[int], readings: Mapping[int, Reading], failed: Sequence[PageFailure]
    ) -> None:
        self.page_count = page_count
        """Pages in the whole document."""

        self.asked = asked
        """The numbers of the pages that were asked for, in order."""

        self.failures = failed
        """Those that could not be read, and why, in order."""

        self._readings = readings

    def __getitem__(self, page: int) -> Reading:
        return self._readings[page]

    def __iter__(self) -> Iterator[int]:
        return iter(self._readings)

    def __len__(self) -> int:
        return len(self._readings)

    @classmethod
    def take(cls, arguments: Mapping[str, Any]) -> "Readings":
        """Those that the service gives with a request; raises UnfitReadingsError.

        A page that has nothing but a picture of text, which nobody read, is a failure unless the request says
        `with_scans`.
        """
        given, content = arguments["readings"], arguments.get(CONTENT, b"")
        readings: dict[int, Reading] = {}
        failed: list[PageFailure] = list(given["failures"])
        unfit = []
        start = 0
        for page, length in given["found"]:
            end = start + length
            try:
                reading = from_bytes(content[start:end])
            except ValueError:
                unfit.append(page)
            else:
                if reading.want == "no_text" and not given["with_scans"]:
                    failed.append(failures.scan(page, arguments.get("ocr_missing", "")))
                else:
                    readings[page] = reading
            start = end
        if unfit:
            raise UnfitReadingsError(unfit)
        failed.sort(key=lambda failure: failure["page"])
        return cls(given["pages"], given["asked"], readings, failed)
