"""Dates as files write them: PDF's own form, "D:20220403193102+02'00'", and ISO 8601, which many programs write."""

import re
from datetime import UTC, datetime, timedelta, timezone

_DATE = re.compile(
    r"(?:D:)?(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?\s*(?:[Zz](?:00'?(?:00'?)?)?|([+-])(\d\d?)(?:'?(\d\d)?'?)?)?",
    re.ASCII,
)
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d.*)?", re.ASCII)


def to_rfc3339(date: str) -> str:
    """The date in RFC 3339, in UTC if the file gives no offset; the text unchanged unless all of it is a date."""
    return moment(date) or date


def moment(date: str) -> str:
    """The date in RFC 3339, in UTC if the file gives no offset; empty unless all of the text is a date."""
    try:
        found = _parse(date.strip())
    except ValueError:
        return ""
    return "" if found is None else found.isoformat().replace("+00:00", "Z")


def _parse(text: str) -> datetime | None:
    """None for what has neither form; raises ValueError for a day or an hour that there is not."""
    if _ISO.fullmatch(text):
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    zone = timezone(-offset if sign == "-" else offset) if offset else UTC
    return datetime(
        int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=zone
    )
