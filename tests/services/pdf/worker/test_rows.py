import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pdf.worker import rows
from services.pdf.worker.boxes import Box
from services.pdf.worker.rows import Rows
from services.pdf.worker.sheet import CrowdedPageError

EDGE = st.floats(-50, 400)
EDGES = st.lists(EDGE, min_size=2, max_size=2, unique=True).map(sorted)
BOXES = st.builds(lambda across, down: Box(across[0], down[0], across[1], down[1]), EDGES, EDGES)


@given(st.lists(BOXES, max_size=30), BOXES)
def test_what_overlaps_is_found_once_and_nothing_else(boxes: list[Box], asked: Box) -> None:
    kept: Rows[int] = Rows()
    for number, box in enumerate(boxes):
        kept.add(box, number)
    overlapping = {
        number
        for number, box in enumerate(boxes)
        if box[0] < asked[2] and asked[0] < box[2] and box[1] < asked[3] and asked[1] < box[3]
    }
    found = kept.near(asked)
    assert {number for _, number in found} == overlapping
    assert len(found) == len(overlapping)


def test_boxes_without_end_are_boxes_too() -> None:
    kept: Rows[str] = Rows()
    kept.add(Box(0, float("-inf"), 1, float("inf")), "all of it")
    kept.add(Box(*[float("nan")] * 4), "nothing")
    assert kept.near(Box(0, 5, 1, 6)) == [((0, float("-inf"), 1, float("inf")), "all of it")]


def test_comparing_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "_MOST_COMPARED", 10)
    kept: Rows[int] = Rows()
    for number in range(6):
        kept.add(Box(0, 0, 10, 10), number)
    assert len(kept.near(Box(0, 0, 10, 10))) == 6
    with pytest.raises(CrowdedPageError):
        kept.near(Box(0, 0, 10, 10))
