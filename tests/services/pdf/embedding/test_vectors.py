"""Vectors as the service holds them."""

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pdf.embedding.vectors import NoVectorError, cut, to_unit, unpack

NUMBERS = st.floats(-1e6, 1e6, width=32).map(lambda number: 0.0 if abs(number) < 1e-3 else number)


@given(st.lists(st.lists(NUMBERS, min_size=3, max_size=3).filter(any), max_size=8))
def test_rows_are_cut_as_they_were_packed_and_have_length_one(rows: list[list[float]]) -> None:
    packed = b"".join(struct.pack("<3f", *row) for row in rows)
    found = cut(packed, 3, len(rows))
    assert len(found) == len(rows)
    for row, given_row in zip(map(unpack, found), rows, strict=True):
        assert math.hypot(*row) == pytest.approx(1, abs=1e-6)
        length = math.hypot(*given_row)
        assert row == pytest.approx([number / length for number in given_row], abs=1e-6)


@given(st.binary(max_size=64), st.integers(1, 4), st.integers(0, 4))
def test_bytes_become_the_vectors_that_were_asked_for_or_an_error(packed: bytes, dimension: int, count: int) -> None:
    try:
        found = cut(packed, dimension, count)
    except NoVectorError:
        return
    assert [len(row) for row in found] == [4 * dimension] * count
    assert all(math.isfinite(number) for row in found for number in unpack(row))


@pytest.mark.parametrize("numbers", [[math.nan, 1.0], [math.inf, 1.0], [0.0, 0.0], [], [1e300, 1e300], ["1"], [None]])
def test_numbers_without_a_direction_are_refused(numbers: list[float]) -> None:
    with pytest.raises(NoVectorError):
        to_unit(numbers)
