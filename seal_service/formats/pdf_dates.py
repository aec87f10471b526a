"""PDF 日期 (ISO 32000-2, 7.9.4)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

_DATE = re.compile(
    r"D:(?P<year>[0-9]{4})(?P<month>[0-9]{2})?(?P<day>[0-9]{2})?(?P<hour>[0-9]{2})?(?P<minute>[0-9]{2})?"
    r"(?P<second>[0-9]{2})?(?:(?P<utc>Z)|(?P<sign>[+-])(?P<off_hour>[0-9]{2})'?(?P<off_minute>[0-9]{2})?'?)?"
)


def parse_pdf_date(text: str | None) -> datetime | None:
    """The moment, in UTC; without an offset taken as UTC; None when it is no date."""
    found = _DATE.match(text or "")
    if found is None:
        return None
    sign = -1 if found["sign"] == "-" else 1
    offset = timedelta(hours=int(found["off_hour"] or 0), minutes=int(found["off_minute"] or 0)) * sign
    try:
        return datetime(
            int(found["year"]),
            int(found["month"] or 1),
            int(found["day"] or 1),
            int(found["hour"] or 0),
            int(found["minute"] or 0),
            int(found["second"] or 0),
            tzinfo=timezone(offset),
        ).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
