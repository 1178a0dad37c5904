import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.base.errors import Code, PapermeshError
from services.pdf.worker.ocr.numeric import np
from services.pdf.worker.ocr.picture import MAX_SIDE, Picture, parse

SIDES = st.integers(min_value=30, max_value=60)


def dotted(width: int, height: int, x: int, y: int) -> Picture:
    """White, with a black square of 9 pixels around a place."""
    pixels = np.full((height, width), 255, np.uint8)
    pixels[y - 4 : y + 5, x - 4 : x + 5] = 0
    return Picture(pixels)


@given(
    sides_and_place=st.tuples(SIDES, SIDES, st.integers(10, 20), st.integers(10, 20)),
    quarters=st.integers(0, 3),
    degrees=st.floats(-6, 6),
    crop=st.tuples(st.integers(-9, 3), st.integers(-9, 3)),
    times=st.integers(1, 2),
)
def test_what_was_done_to_a_picture_is_undone_for_a_box(
    sides_and_place: tuple[int, int, int, int], quarters: int, degrees: float, crop: tuple[int, int], times: int
) -> None:
    changed = dotted(*sides_and_place).turned(quarters).rotated(degrees)
    changed = changed.cropped(*crop, changed.width, changed.height).enlarged(times)
    down, across = np.nonzero(changed.pixels < 128)
    x, y = sides_and_place[2:]
    left, top, right, bottom = changed.given_box((across.min(), down.min(), across.max() + 1, down.max() + 1))
    assert (left + right) / 2 == pytest.approx(x + 0.5, abs=1)
    assert (top + bottom) / 2 == pytest.approx(y + 0.5, abs=1)
    assert left <= x <= right
    assert top <= y <= bottom


def test_a_rotated_picture_keeps_its_corners() -> None:
    picture = Picture(np.zeros((40, 400), np.uint8)).rotated(5)
    assert (picture.pixels < 128).sum() == pytest.approx(40 * 400, rel=0.02)


@given(width=st.integers(1, 9), height=st.integers(1, 9), data=st.data())
def test_a_picture_is_what_its_file_says(width: int, height: int, data: st.DataObject) -> None:
    content = data.draw(st.binary(min_size=width * height, max_size=width * height))
    picture = parse(b"P5 %d %d 255\n" % (width, height) + content)
    assert picture.pixels.tobytes() == content
    assert parse(picture.as_pgm()).pixels.tolist() == picture.pixels.tolist()


@pytest.mark.parametrize(
    "content", [b"", b"P5", b"P4 1 1 255\n\0", b"P5 2 2 255\n\0", b"P5 0 9 255\n", b"P5 1 1 65535\n\0\0"]
)
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(PapermeshError) as refused:
        parse(content)
    assert refused.value.code is Code.BAD_ARG


@pytest.mark.parametrize("size", [b"35000 10", b"%d 1" % (MAX_SIDE + 1), b"20000 20000", b"999999999 999999999"])
def test_a_picture_over_the_limits_is_refused_by_its_size(size: bytes) -> None:
    with pytest.raises(PapermeshError) as refused:
        parse(b"P5 " + size + b" 255\n")
    assert refused.value.code is Code.TOO_LARGE
