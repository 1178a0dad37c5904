from collections.abc import Callable

import pytest

from services.pdf.worker.ocr.look import look_at, sample_of
from services.pdf.worker.ocr.numeric import Grey, np
from services.pdf.worker.ocr.orientation import right_way_up
from services.pdf.worker.ocr.picture import Picture
from services.pdf.worker.ocr.words import Line, Word
from tests.services.pdf.printed import DPI, ENGLISH, KOREAN, page


def reading(*confidences: float) -> Callable[[Grey], list[Line]]:
    """Reads something with these confidences, one a call."""
    left = list(confidences)
    return lambda _sample: [[Word("가나다라마바사아자차카타파하", (0, 0, 9, 9), left.pop(0))]]


def test_a_page_that_is_read_at_once_stays_as_it_is() -> None:
    laid = right_way_up(Picture(page(ENGLISH)), DPI, reading(0.9))
    assert laid is not None
    assert laid.page.origin == (1, 0, 0, 0, 1, 0)


@pytest.mark.parametrize(("confidences", "turned"), [((0.3, 0.9), 2), ((0.3, 0.2, 0.9), 1), ((0.3, 0.2, 0.2, 0.5), 3)])
def test_a_page_is_turned_until_a_look_is_sure_or_surest(confidences: tuple[float, ...], turned: int) -> None:
    picture = Picture(page(KOREAN))
    laid = right_way_up(picture, DPI, reading(*confidences))
    assert laid is not None
    assert laid.page.origin == picture.turned(turned).origin


def test_lines_along_the_height_are_turned_first() -> None:
    turned = Picture(page(ENGLISH)).turned(1)
    laid = right_way_up(turned, DPI, reading(0.3, 0.9))
    assert laid is not None
    assert laid.page.origin == turned.turned(3).origin


def test_a_page_without_ink_has_no_way_up() -> None:
    assert right_way_up(Picture(np.full((90, 90), 255, np.uint8)), DPI, reading()) is None


def test_a_sample_has_rows_from_all_over_the_sheet() -> None:
    sample = sample_of(page(KOREAN), DPI)
    assert sample is not None
    assert sample.shape[0] < page(KOREAN).shape[0] / 2
    assert (sample < 128).any(axis=1).sum() > 5 * 20


def test_a_look_counts_hangul_among_letters_alone() -> None:
    look = look_at(
        [
            [
                Word("가나다라abcd", (0, 0, 9, 9), 0.8),
                Word("1234.,", (9, 0, 18, 9), 0.8),
                Word("wxyz", (18, 0, 27, 9), 0.8),
            ]
        ]
    )
    assert look.hangul == pytest.approx(1 / 3)
    assert look.confidence == pytest.approx(0.8)


def test_a_few_letters_say_nothing() -> None:
    assert look_at([[Word("abc", (0, 0, 9, 9), 1.0)]]).confidence == 0
    assert look_at([]).confidence == 0
