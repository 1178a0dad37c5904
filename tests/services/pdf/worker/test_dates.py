import pytest

from services.pdf.worker.dates import to_rfc3339


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("D:20220403193102+02'00'", "2022-04-03T19:31:02+02:00"),
        ("D:20220403193102+02'00", "2022-04-03T19:31:02+02:00"),
        ("D:20160708021310-07'00'", "2016-07-08T02:13:10-07:00"),
        ("D:20230623063933Z", "2023-06-23T06:39:33Z"),
        ("D:20230623063933Z00'00'", "2023-06-23T06:39:33Z"),
        ("D:20230623063933", "2023-06-23T06:39:33Z"),
        ("D:2023", "2023-01-01T00:00:00Z"),
        ("20230623", "2023-06-23T00:00:00Z"),
        ("D:20230623063933+0900", "2023-06-23T06:39:33+09:00"),
    ],
)
def test_a_date_is_read_as_far_as_it_goes(date: str, expected: str) -> None:
    assert to_rfc3339(date) == expected


@pytest.mark.parametrize("date", ["", "yesterday", "D:20231345", "D:20230623063933+99'00'", "D:00000101"])
def test_what_is_no_date_stays_as_it_is(date: str) -> None:
    assert to_rfc3339(date) == date
