"""The ways to hide a text, and what only looks like it (`hiding.py`), on turned and cropped pages and in forms."""

from pathlib import Path
from typing import Any

import pytest

from tests.services.pdf.support import open_path
from tests.services.pdf.viewing import count, hidden_in, read_text
from tests.services.pdf.worker.hiding import HIDDEN, HIDING, PLAIN, SHOWING, WHERE, Draw, make


def put(path: Path, draw: Draw, where: str) -> None:
    def both(page: Any, text: str) -> None:
        draw(page, text)
        WHERE[where](page)

    make(path, both)


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("way", HIDING)
def test_text_that_nobody_sees_is_found_wherever_it_is(tmp_path: Path, way: str, where: str) -> None:
    path = tmp_path / "page.pdf"
    draw, reason = HIDING[way]
    put(path, draw, where)
    found = read_text(open_path(path), 1)
    assert HIDDEN not in found
    assert PLAIN in found
    assert hidden_in(open_path(path)) == [(HIDDEN, reason)]
    assert count(open_path(path))[1] == 24


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("way", SHOWING)
def test_text_that_only_looks_hidden_is_read_wherever_it_is(tmp_path: Path, way: str, where: str) -> None:
    path = tmp_path / "page.pdf"
    put(path, SHOWING[way], where)
    found = read_text(open_path(path), 1)
    assert HIDDEN in found
    assert PLAIN in found
    assert hidden_in(open_path(path)) == []
