import pytest

from services.pdf.worker.ocr.ink import ink_of, on_paper
from services.pdf.worker.ocr.noise import spread, without_noise
from services.pdf.worker.ocr.numeric import Grey, np
from tests.services.pdf.printed import KOREAN, page


def grainy(pixels: Grey, spread: float) -> Grey:
    grain = np.random.default_rng(1).normal(0, spread, pixels.shape)
    return np.clip(pixels * 0.9 + 12 + grain, 0, 255).astype(np.uint8)


def test_ink_is_what_is_dark() -> None:
    pixels = page(KOREAN)
    ink = ink_of(pixels)
    assert ink is not None
    assert pixels[ink].mean() < 80
    assert pixels[~ink].mean() > 240


@pytest.mark.parametrize("grey", [0, 7, 255])
def test_one_tone_has_no_ink(grey: int) -> None:
    assert ink_of(np.full((20, 20), grey, np.uint8)) is None


def test_a_negative_is_read_as_its_positive() -> None:
    pixels = page(KOREAN)
    positive = on_paper(255 - pixels)
    assert positive is not None
    assert positive.tolist() == pixels.tolist()


def test_noise_all_over_is_no_paper() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (400, 300), np.uint8)
    assert on_paper(noise) is None
    assert on_paper(without_noise(noise)) is None


@pytest.mark.parametrize("grain", [6, 14, 25])
def test_grain_is_measured_and_taken_away(grain: float) -> None:
    noisy = grainy(page(KOREAN), grain)
    assert spread(noisy) == pytest.approx(grain, rel=0.35)
    assert spread(without_noise(noisy)) < 0.6 * spread(noisy)


def test_a_clean_page_keeps_its_thin_strokes() -> None:
    pixels = page(KOREAN)
    assert without_noise(pixels) is pixels


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (2, 2)])
def test_the_smallest_pictures_have_no_grain(shape: tuple[int, int]) -> None:
    assert spread(np.zeros(shape, np.uint8)) == 0
