import pytest

from services.pdf.worker.ocr.numeric import np
from services.pdf.worker.ocr.picture import Picture
from services.pdf.worker.ocr.skew import lie_of
from tests.services.pdf.printed import ENGLISH, KOREAN, page


@pytest.mark.parametrize("lines", [KOREAN, ENGLISH])
@pytest.mark.parametrize("degrees", [-5, -2, -0.5, 0, 0.3, 2, 5])
def test_a_page_is_turned_back_by_what_it_was_turned(lines: tuple[str, ...], degrees: float) -> None:
    lie = lie_of(Picture(page(lines)).rotated(degrees).pixels)
    assert lie.degrees[0] == pytest.approx(-degrees, abs=0.25)
    assert not lie.sideways


@pytest.mark.parametrize("quarters", [1, 3])
def test_lines_along_the_height_are_seen(quarters: int) -> None:
    turned = Picture(page(ENGLISH)).rotated(1.5).turned(quarters)
    lie = lie_of(turned.pixels)
    assert lie.sideways
    assert lie.degrees[1] == pytest.approx(-1.5, abs=0.25)


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_one_tone_lies_straight(grey: int) -> None:
    assert lie_of(np.full((50, 90), grey, np.uint8)).degrees == (0, 0)
