from collections.abc import Callable
from pathlib import Path

import pytest

Pdf = Callable[..., Path]


@pytest.fixture
def write_objects(tmp_path: Path) -> Pdf:
    """Writes a PDF out of its objects, numbered from 1; the first is the catalogue."""

    def write(*objects: str, trailer: str = "") -> Path:
        content = b"%PDF-1.7\n"
        offsets = []
        for number, item in enumerate(objects, start=1):
            offsets.append(len(content))
            content += b"%d 0 obj\n%b\nendobj\n" % (number, item.encode("latin-1"))
        table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
        start = len(content)
        content += b"xref\n0 %d\n0000000000 65535 f \n%b" % (len(objects) + 1, table)
        content += b"trailer<</Root 1 0 R/Size %d%b>>\nstartxref\n%d\n%%%%EOF\n" % (
            len(objects) + 1,
            trailer.encode("latin-1"),
            start,
        )
        path = tmp_path / "objects.pdf"
        path.write_bytes(content)
        return path

    return write
