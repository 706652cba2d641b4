"""The times of a trigger between its start and its end, as seconds since 1970."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from smalt.entities.schedules.triggers import POLLING_INTERVAL, CronTrigger, DatastoreTrigger, RecurrenceTrigger
from smalt.service.schedules.recurrence import Recurrence, has_pattern
from smalt.service.schedules.zones import UTC, find_zone, parse_moment

_SECOND = timedelta(seconds=1)
_WINDOW = 60.0
_WIDER = 4


class Calendar(Protocol):
    """The times of a trigger without its end; all moments are in UTC."""

    def find_next(self, after: datetime) -> datetime | None: ...


class CronTimes:
    """The times of a cron expression."""

    def __init__(self, expression: str, zone: ZoneInfo) -> None:
        self._expression, self._zone = expression, zone

    def find_next(self, after: datetime) -> datetime | None:
        from cronsim import CronSim, CronSimError

        try:
            for found in CronSim(self._expression, after.astimezone(self._zone)):
                if found.astimezone(UTC) > after:  # in an hour that comes twice, the first may be past
                    return found.astimezone(UTC)
        except CronSimError:  # a day that no month has
            return None
        return None


class Occurrences:
    """The times of a trigger; `anchor` is the start of one that has no start_time."""

    def __init__(self, trigger: Any, anchor: float) -> None:
        self.trigger = trigger
        if isinstance(trigger, DatastoreTrigger):
            trigger = _make_recurrence(trigger)
        zone = find_zone(trigger.time_zone)
        start = parse_moment(trigger.start_time, zone) if trigger.start_time else None
        self._end = parse_moment(trigger.end_time, zone) if trigger.end_time else None
        self._start = start or datetime.fromtimestamp(int(anchor), UTC)
        is_cron = isinstance(trigger, CronTrigger)
        self._counts_from_anchor = start is None and not is_cron and not has_pattern(trigger)
        self._calendar: Calendar = (
            CronTimes(trigger.expression, zone) if is_cron else Recurrence(trigger, self._start, zone)
        )

    @property
    def begins_at_once(self) -> bool:
        """True for a recurrence that counts from its creation, which is its first time."""
        return self._counts_from_anchor and not isinstance(self.trigger, DatastoreTrigger)

    def is_empty(self) -> bool:
        """True if no time ever comes, whatever its end is."""
        return self._calendar.find_next(self._start - _SECOND) is None

    def find_next(self, after: float) -> float | None:
        """Return the first time after `after`; None if there is none."""
        moment = max(datetime.fromtimestamp(after, UTC), self._start - _SECOND)
        found = self._calendar.find_next(moment)
        return None if found is None or (self._end is not None and found > self._end) else found.timestamp()

    def iterate(self, after: float, until: float) -> Iterator[float]:
        """Yield the times after one moment and not after another."""
        found = self.find_next(after)
        while found is not None and found <= until:
            yield found
            found = self.find_next(found)

    def list_last(self, after: float, until: float, count: int) -> list[float]:
        """Return the last `count` times of a period, without going through all of it."""
        width = _WINDOW * count
        while True:
            found = list(self.iterate(max(after, until - width), until))
            if len(found) >= count or until - width <= after:
                return found[-count:]
            width *= _WIDER


def _make_recurrence(trigger: DatastoreTrigger) -> RecurrenceTrigger:
    """Return the times at which a datastore is looked at."""
    return RecurrenceTrigger(
        frequency="minute",
        interval=int(trigger.polling_interval or POLLING_INTERVAL),
        start_time=trigger.start_time,
        end_time=trigger.end_time,
        time_zone=trigger.time_zone,
    )
