"""北京时间: the time that people and the province read, and the days that the log is counted by."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

FIRST_DAY = date(1970, 1, 1)
"""Days are counted from it where they are numbers."""
_OFFSET = timedelta(hours=8)  # no summer time since 1991; needs no zone files
_LOCAL_TIME = timezone(_OFFSET, "Asia/Shanghai")


def local_time(at: datetime) -> str:
    """The moment as yyyy-MM-dd HH:mm:ss in Asia/Shanghai."""
    return f"{at.astimezone(_LOCAL_TIME):%Y-%m-%d %H:%M:%S}"


def local_day(at: datetime) -> date:
    """The day in Asia/Shanghai of a moment in UTC."""
    return (at + _OFFSET).date()
