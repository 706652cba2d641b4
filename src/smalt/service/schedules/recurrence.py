"""The times of a recurrence: a unit, an interval, and times of the day."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from smalt.service.schedules.zones import localize

_STEPS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1)}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MOST_EMPTY = 1200
"""Periods without a time after which there are taken to be none: a hundred years of months."""


class Recurrence:
    """The times of a recurrence trigger, which counts from `anchor`. All moments are in UTC.

    Minutes and hours are time that passes. Days, weeks (from Monday) and months are those of the zone's calendar, and
    times of the day those of its clocks.
    """

    def __init__(self, trigger: Any, anchor: datetime, zone: ZoneInfo) -> None:
        self._frequency, self._interval = str(trigger.frequency).lower(), int(trigger.interval or 1)
        self._anchor, self._zone = anchor, zone
        pattern = trigger.schedule
        self._hours = _list_numbers(pattern and pattern.hours)
        self._minutes = _list_numbers(pattern and pattern.minutes)
        self._month_days = _list_numbers(pattern and pattern.month_days)
        week_days = pattern.week_days if pattern and pattern.week_days else []
        words = [week_days] if isinstance(week_days, str) else week_days
        self._week_days = sorted({_DAYS.index(str(word).lower()) for word in words})

    def find_next(self, after: datetime) -> datetime | None:
        """Return the first time after a moment."""
        if self._frequency in _STEPS:
            return self._find_next_step(after)
        wall = max(after, self._anchor).astimezone(self._zone)
        period, empty = self._find_period(wall.date()), 0
        while empty < _MOST_EMPTY:
            for found in self._list_times(max(0, period)):
                if found > after and found >= self._anchor:
                    return found
            period, empty = period + 1, empty + 1
        return None

    def _find_next_step(self, after: datetime) -> datetime:
        step = _STEPS[self._frequency] * self._interval
        if after < self._anchor:
            return self._anchor
        return self._anchor + ((after - self._anchor) // step + 1) * step

    def _find_period(self, day: date) -> int:
        """Return the number of the period before that of a day: a gap may move its last time to the next."""
        first = self._anchor.astimezone(self._zone).date()
        if self._frequency == "month":
            count = (day.year - first.year) * 12 + day.month - first.month
        elif self._frequency == "week":
            count = (day - (first - timedelta(days=first.weekday()))).days // 7
        else:
            count = (day - first).days
        return count // self._interval - 1

    def _list_times(self, period: int) -> list[datetime]:
        """Return the times of a period in order."""
        start = self._anchor.astimezone(self._zone)
        hours, minutes = self._hours or [start.hour], self._minutes or [start.minute if not self._hours else 0]
        seconds = 0 if self._hours or self._minutes else start.second
        found = {
            localize(datetime.combine(day, time(hour, minute, seconds)), self._zone)
            for day in self._list_days(start.date(), period)
            for hour in hours
            for minute in minutes
        }
        return sorted(found)

    def _list_days(self, first: date, period: int) -> Iterator[date]:
        number = period * self._interval
        if self._frequency == "day":
            days = [first + timedelta(days=number)]
        elif self._frequency == "week":
            monday = first - timedelta(days=first.weekday()) + timedelta(weeks=number)
            days = [monday + timedelta(days=at) for at in (range(7) if self._week_days else [first.weekday()])]
        else:
            year, month = divmod(first.year * 12 + first.month - 1 + number, 12)
            last = calendar.monthrange(year, month + 1)[1]
            of_month = range(1, last + 1) if self._month_days or self._week_days else [min(first.day, last)]
            days = [date(year, month + 1, at) for at in of_month]
        for day in days:
            if self._week_days and day.weekday() not in self._week_days:
                continue
            if not self._month_days or day.day in self._month_days:
                yield day


def has_pattern(trigger: Any) -> bool:
    """Return True if a recurrence says the times of the day; Azure's client sends empty lists for none."""
    pattern = trigger.schedule
    return any(pattern and vars(pattern).get(key) for key in ("hours", "minutes", "week_days", "month_days")) or (
        pattern is not None and 0 in (pattern.hours, pattern.minutes)
    )


def _list_numbers(given: Any) -> list[int]:
    return sorted(set(given)) if isinstance(given, (list, tuple)) else [] if given is None else [int(given)]
