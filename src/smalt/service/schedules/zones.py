"""Time zones by their Windows and IANA names, and times of day in them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

from smalt.entities.schedules.times import parse_wall_time

UTC = timezone.utc

_RETIRED = {"mid-atlantic standard time": "Etc/GMT+2", "kamchatka standard time": "Asia/Kamchatka"}
"""Names that the service has and Unicode's table of Windows zones no longer has."""
_OFFSET = re.compile(r"(?:(Z)|([+-])(\d\d):?(\d\d))\s*$", re.IGNORECASE)
_MINUTE = timedelta(minutes=1)


@lru_cache(maxsize=256)
def find_zone(name: str | None) -> ZoneInfo:
    """Return the zone of a Windows or IANA name; UTC where there is none."""
    from tzlocal.windows_tz import win_tz

    text = (name or "UTC").strip()
    if text.upper() == "UTC":
        return ZoneInfo("UTC")
    known = {windows.lower(): iana for windows, iana in win_tz.items()} | _RETIRED
    return ZoneInfo(known.get(text.lower(), text))


def parse_moment(text: str, zone: ZoneInfo) -> datetime:
    """Return the moment, in UTC, that a trigger's text means: in its own offset, or else on the zone's clocks."""
    wall = parse_wall_time(text)
    if wall is None:
        raise ValueError(f"'{text}' is not a time")
    offset = _OFFSET.search(text) if ":" in text else None
    if offset is None:
        return localize(wall, zone)
    sign = -1 if offset[2] == "-" else 1
    shift = timedelta() if offset[1] else sign * timedelta(hours=int(offset[3]), minutes=int(offset[4]))
    return wall.replace(tzinfo=timezone(shift)).astimezone(UTC)


def localize(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment, in UTC, at which the zone's clocks show a time.

    A time that they skip is the first one after the gap; one that they show twice is the first of the two. So Debian's
    cron has it, and `cronsim`.
    """
    found = wall.replace(tzinfo=zone, fold=0)
    while found.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != found.replace(tzinfo=None):
        wall += _MINUTE
        found = wall.replace(tzinfo=zone, fold=0, second=0)
    return found.astimezone(UTC)
