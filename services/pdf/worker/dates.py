"""Dates as PDF writes them, "D:20220403193102+02'00'"."""

import re
from datetime import UTC, datetime, timedelta, timezone

_DATE = re.compile(
    r"\s*(?:D:)?(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?\s*(?:([Zz])|([+-])(\d\d)(?:'?(\d\d))?)?.*",
    re.ASCII | re.DOTALL,
)


def to_rfc3339(date: str) -> str:
    """The date in RFC 3339, in UTC if the file gives no offset; the text unchanged if it cannot be read."""
    match = _DATE.fullmatch(date)
    if match is None:
        return date
    year, month, day, hour, minute, second, _zulu, sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    try:
        zone = timezone(-offset if sign == "-" else offset) if offset else UTC
        moment = datetime(
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=zone
        )
    except ValueError:
        return date
    return moment.isoformat().replace("+00:00", "Z")
