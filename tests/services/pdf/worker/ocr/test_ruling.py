from services.pdf.worker.ocr.ink import ink_of
from services.pdf.worker.ocr.numeric import Mask, np
from services.pdf.worker.ocr.ruling import ruling_of, without
from tests.services.pdf.printed import DPI, ENGLISH, KOREAN, page

TABLE = [(30, 44, 400, 44), (30, 70, 400, 70), (30, 44, 30, 400), (400, 44, 400, 400)]


def ink(pixels: "np.ndarray") -> Mask:
    found = ink_of(pixels)
    assert found is not None
    return found


def test_ruling_lines_are_painted_white_and_the_letters_stay() -> None:
    plain, ruled = page(KOREAN), page(KOREAN, rules=TABLE)
    assert (without(ruled, ruling_of(ink(ruled), DPI)) != plain).mean() < 0.0001
    assert (ruled != plain).mean() > 0.002


def test_letters_are_no_ruling_lines() -> None:
    for pixels in (page(KOREAN), page(ENGLISH), page(["그으드르"], size=60)):
        assert not ruling_of(ink(pixels), DPI).any()


def test_a_thick_bar_is_no_ruling_line() -> None:
    bar = np.zeros((300, 300), bool)
    bar[100:120, 20:280] = True
    assert not ruling_of(bar, DPI).any()


def test_a_picture_that_is_smaller_than_a_line_has_none() -> None:
    assert not ruling_of(np.ones((5, 5), bool), DPI).any()
