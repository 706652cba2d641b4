"""The times of triggers: zones, clocks that are set forward and back, patterns and intervals."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from smalt.constants import TimeZone
from smalt.entities import CronTrigger, RecurrenceTrigger
from smalt.service.schedules.occurrences import Occurrences
from smalt.service.schedules.zones import find_zone

BERLIN = "W. Europe Standard Time"
"""Its clocks go forward on 29 March 2026 at 01:00 UTC, from 02:00, and back on 25 October at 01:00 UTC, from 03:00."""


def moment(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp()


def times(trigger: dict[str, Any], after: str, count: int, anchor: str | None = None) -> list[str]:
    """The next times in UTC, without the year."""
    kind = CronTrigger if "expression" in trigger else RecurrenceTrigger
    occurrences = Occurrences(
        kind.from_dict({"type": "cron" if "expression" in trigger else "recurrence", **trigger}),
        moment(anchor or after),
    )
    found, last = [], moment(after)
    while len(found) < count and (following := occurrences.find_next(last)) is not None:
        assert following > last
        last = following
        found.append(datetime.fromtimestamp(following, timezone.utc).strftime("%m-%d %H:%M"))
    return found


def cron(expression: str, zone: str = BERLIN) -> dict[str, Any]:
    return {"expression": expression, "time_zone": zone}


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        ("30 2 * * *", "2026-03-28T12:00", ["03-29 01:00", "03-30 00:30"]),
        ("0,30 2 * * *", "2026-03-28T12:00", ["03-29 01:00", "03-30 00:00", "03-30 00:30"]),
        ("30 2 * * *", "2026-10-24T12:00", ["10-25 00:30", "10-26 01:30"]),
        ("0 * * * *", "2026-03-29T00:00", ["03-29 01:00", "03-29 02:00"]),
        ("0 * * * *", "2026-10-24T23:30", ["10-25 00:00", "10-25 01:00", "10-25 02:00"]),
        ("0 3 * * *", "2026-03-28T12:00", ["03-29 01:00", "03-30 01:00"]),
        ("0 3 * * *", "2026-10-24T12:00", ["10-25 02:00", "10-26 02:00"]),
    ],
)
def test_cron_where_clocks_are_set(expression: str, after: str, expected: list[str]) -> None:
    """A time of day that is skipped comes at the end of the gap, one that comes twice once; hours go on passing."""
    assert times(cron(expression), after, len(expected)) == expected


def test_a_schedule_that_is_made_in_the_second_of_two_equal_hours() -> None:
    """Its first time is not one that is past."""
    assert times(cron("30 2 * * *"), "2026-10-25T01:05", 1) == ["10-26 01:30"]


@pytest.mark.parametrize(
    ("trigger", "after", "expected"),
    [
        (
            {"frequency": "day", "schedule": {"hours": [2], "minutes": [0, 30]}, "time_zone": BERLIN},
            "2026-03-28T12:00",
            ["03-29 01:00", "03-30 00:00", "03-30 00:30"],
        ),
        (
            {"frequency": "day", "schedule": {"hours": 2, "minutes": 30}, "time_zone": "Europe/Berlin"},
            "2026-10-24T12:00",
            ["10-25 00:30", "10-26 01:30"],
        ),
        (
            {"frequency": "hour", "interval": 12, "start_time": "2026-03-28T12:00:00", "time_zone": BERLIN},
            "2026-03-28T00:00",
            ["03-28 11:00", "03-28 23:00", "03-29 11:00"],
        ),
        (
            {"frequency": "day", "interval": 1, "start_time": "2026-03-28T12:00:00", "time_zone": BERLIN},
            "2026-03-28T00:00",
            ["03-28 11:00", "03-29 10:00"],
        ),
        (
            {"frequency": "day", "interval": 3, "start_time": "2026-01-01T06:00:00"},
            "2026-01-01T06:00",
            ["01-04 06:00", "01-07 06:00"],
        ),
        (
            {
                "frequency": "week",
                "interval": 2,
                "start_time": "2026-01-07",
                "schedule": {"hours": 10, "minutes": 0, "week_days": ["friday", "monday"]},
            },
            "2026-01-01T00:00",
            ["01-09 10:00", "01-19 10:00", "01-23 10:00", "02-02 10:00"],
        ),
        ({"frequency": "week", "start_time": "2026-01-07T08:15:00"}, "2026-01-07T09:00", ["01-14 08:15"]),
        (
            {"frequency": "month", "start_time": "2026-01-31T10:15:00"},
            "2026-01-01T00:00",
            ["01-31 10:15", "02-28 10:15", "03-31 10:15", "04-30 10:15"],
        ),
        (
            {"frequency": "month", "schedule": {"hours": 0, "minutes": 0, "month_days": [31]}},
            "2026-01-31T10:00",
            ["03-31 00:00", "05-31 00:00"],
        ),
        (
            {"frequency": "minute", "interval": 15, "start_time": "2026-01-31T10:15:00+01:00"},
            "2026-01-01T00:00",
            ["01-31 09:15", "01-31 09:30"],
        ),
        (
            {"frequency": "minute", "interval": 15, "start_time": "2026-01-31", "end_time": "2026-01-31T00:30:00Z"},
            "2026-01-01T00:00",
            ["01-31 00:00", "01-31 00:15", "01-31 00:30"],
        ),
    ],
)
def test_recurrences(trigger: dict[str, Any], after: str, expected: list[str]) -> None:
    """Minutes and hours pass; days, weeks and months are those of the zone."""
    assert times(trigger, after, len(expected) + (1 if "end_time" in trigger else 0)) == expected


def test_empty_lists_are_no_pattern() -> None:
    """Azure's client sends them where a program says none."""
    trigger = {"frequency": "hour", "interval": 2, "schedule": {"hours": [], "minutes": []}}
    assert times(trigger, "2026-01-01T00:30", 2) == ["01-01 02:30", "01-01 04:30"]
    assert Occurrences(RecurrenceTrigger.from_dict({"type": "recurrence", **trigger}), 0).begins_at_once


def test_midnight_is_a_time_of_the_day() -> None:
    """Zero hours and zero minutes are a pattern."""
    trigger = {"frequency": "day", "schedule": {"hours": 0, "minutes": 0}}
    assert times(trigger, "2026-01-01T00:30", 2) == ["01-02 00:00", "01-03 00:00"]
    assert not Occurrences(RecurrenceTrigger.from_dict({"type": "recurrence", **trigger}), 0).begins_at_once


@pytest.mark.parametrize(
    "trigger",
    [
        cron("0 0 31 2 *"),
        {"frequency": "month", "interval": 12, "schedule": {"hours": 0, "minutes": 0, "month_days": 30}},
    ],
)
def test_what_never_comes(trigger: dict[str, Any]) -> None:
    """A day that no month has."""
    kind = CronTrigger if "expression" in trigger else RecurrenceTrigger
    type = "cron" if "expression" in trigger else "recurrence"
    assert Occurrences(kind.from_dict({"type": type, **trigger}), moment("2026-02-01T00:00")).is_empty()


def test_every_zone_of_the_service_is_known() -> None:
    """By its Windows name, in any case, and by the IANA's."""
    for zone in TimeZone:
        assert find_zone(zone.value.upper()).key
    assert find_zone("Pacific Standard Time").key == "America/Los_Angeles"
    assert find_zone(None).key == "UTC"


def test_the_last_times_of_a_long_period() -> None:
    """They are found without going through all of it."""
    every_minute = Occurrences(CronTrigger(expression="* * * * *"), 0)
    end = moment("2026-01-01T00:00")
    assert every_minute.list_last(0, end, 3) == [end - 120, end - 60, end]
    yearly = Occurrences(CronTrigger(expression="0 0 1 1 *"), 0)
    assert yearly.list_last(0, end, 2) == [moment("2025-01-01T00:00"), end]
