from services.pdf.worker.ocr.numeric import np
from services.pdf.worker.ocr.picture import MAX_PIXELS, MAX_SIDE, Picture
from services.pdf.worker.ocr.sheet import laid_out, room_for

DPI = 200


def part(width: int, height: int) -> Picture:
    return Picture(np.full((height, width), 255, np.uint8))


def test_a_box_tells_its_part() -> None:
    parts = [part(40, 30), part(60, 20), part(10, 50)]
    sheet = laid_out(parts, DPI)
    assert [sheet.part_of((16, top, 26, top + 20)) for top in sheet.tops] == [0, 1, 2]
    assert sheet.part_of((0, 0, 5, 5)) == 0


def test_no_more_parts_are_laid_out_than_a_picture_may_have_pixels() -> None:
    for parts in ([part(20, 30)] * 2000, [part(9000, 300)] * 100, [part(40, 30), part(1, MAX_SIDE)]):
        count = room_for(parts, DPI)
        assert 0 < count < len(parts)
        sheet = laid_out(parts[:count], DPI)
        assert max(sheet.pixels.shape) <= MAX_SIDE
        assert sheet.pixels.size <= MAX_PIXELS


def test_few_parts_have_room() -> None:
    assert room_for([part(20, 30)] * 100, DPI) == 100
    assert room_for([], DPI) == 0
