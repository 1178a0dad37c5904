"""numpy, imported in the one way that lets a process fork afterwards.

Its linear algebra starts a thread for each core when it is loaded, unless told otherwise; nothing here needs any, and a
process with threads cannot fork safely. Import numpy only from here.
"""

import os
from typing import TypeAlias

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np  # after the line above
from numpy.typing import NDArray

Grey: TypeAlias = NDArray[np.uint8]
"""A picture by rows: 0 is black, 255 is white."""

Mask: TypeAlias = NDArray[np.bool_]
"""Which pixels of a picture are meant, by rows."""

Counts: TypeAlias = NDArray[np.int16]
Points: TypeAlias = NDArray[np.intp]

__all__ = ["Counts", "Grey", "Mask", "Points", "np"]
