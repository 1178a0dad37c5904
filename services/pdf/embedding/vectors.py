"""Vectors as the service holds them: rows of float32, checked, of length 1."""

import math
import sys
from array import array
from collections.abc import Iterable
from dataclasses import dataclass

_FLOAT_BYTES = 4


class NoVectorError(ValueError):
    """These are no vectors of a text; the text says why, and quotes nothing."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """The vectors of some texts, in their order."""

    model: str
    """What made them; only vectors of one model can be compared."""

    dimension: int
    """Numbers in each; 0 if there are none."""

    rows: list[bytes]
    """Each as `dimension` numbers of four bytes (IEEE 754), little-endian, of length 1 together."""


def cut(packed: bytes, dimension: int, count: int) -> list[bytes]:
    """The rows of `count` vectors that follow one another; raises NoVectorError if they are anything else."""
    size = dimension * _FLOAT_BYTES
    if len(packed) != count * size:
        raise NoVectorError(f"{len(packed)} bytes are not {count} vectors of {dimension} numbers")
    return [to_unit(unpack(packed[place * size : (place + 1) * size])) for place in range(count)]


def to_unit(numbers: Iterable[float]) -> bytes:
    """A row with the direction of these numbers; raises NoVectorError if they have none: NaN, infinite, all zero."""
    try:
        found = array("d", numbers)
    except TypeError:
        raise NoVectorError("a vector has something else than numbers") from None
    length = math.sqrt(math.fsum(number * number for number in found)) if all(map(math.isfinite, found)) else 0.0
    if not 0 < length < math.inf:
        raise NoVectorError("a vector has a number that is not finite, or is all zero")
    return _little(array("f", [number / length for number in found])).tobytes()


def unpack(row: bytes) -> list[float]:
    """The numbers of a row; raises NoVectorError for bytes that end within one."""
    if len(row) % _FLOAT_BYTES:
        raise NoVectorError(f"{len(row)} bytes are no numbers of four bytes")
    return _little(array("f", row)).tolist()


def _little(numbers: "array[float]") -> "array[float]":
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
