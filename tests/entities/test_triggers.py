"""When schedules happen is checked when they are described."""

from __future__ import annotations

from typing import Any

import pytest

from smalt.constants import TimeZone
from smalt.entities import CronTrigger, JobSchedule, RecurrenceTrigger
from smalt.exceptions import ValidationException

CRON = {"type": "cron", "expression": "15 10 * * 1"}
DAILY = {"type": "recurrence", "frequency": "day"}


@pytest.mark.parametrize(
    "changed",
    [
        *({"expression": text} for text in ("0 * * * *", "*/5 0-6/2 1,15 jan-mar mon-fri", "0 0 * * 7", "0 18 * * *")),
        *(
            {"time_zone": zone}
            for zone in ("utc", "Pacific Standard Time", "w. europe standard time", "UTC+12", "Europe/Berlin")
        ),
        *({"start_time": time} for time in ("2026-01-31", "2026-01-31T10:15", "2026-01-31 10:15:00.5Z")),
        {"start_time": "2026-01-31T10:15:00+01:00", "end_time": "2026-02-01"},
    ],
)
def test_what_the_service_takes_is_taken(changed: dict[str, Any]) -> None:
    """As it was written."""
    assert CronTrigger.from_dict({**CRON, **changed}).to_dict() == {**CRON, **changed}


def test_every_zone_of_the_service_is_taken() -> None:
    """By the name that `TimeZone` has."""
    for zone in TimeZone:
        assert CronTrigger.from_dict({**CRON, "time_zone": zone.value}).time_zone == zone.value


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"expression": "* * * *"}, "expression: 'expression' is not a cron expression: '* * * *' has 4 fields"),
        ({"expression": "0 0 0 * * *"}, "has 6 fields, and five are needed"),
        ({"expression": "60 * * * *"}, "the minute is '60'; it may be *, 0 to 59"),
        ({"expression": "0 5-1 * * *"}, "the hour is '5-1'"),
        ({"expression": "0 0 */0 * *"}, "the day is '*/0'"),
        ({"expression": "0 0 * foo *"}, "the month is 'foo'"),
        ({"expression": "0 0 * * 8"}, "the day of the week is '8'"),
        ({"time_zone": "Mars Standard Time"}, "'Mars Standard Time', which is not a time zone that schedules have; wr"),
        ({"time_zone": "Pacfic Standard Time"}, "did you mean 'Pacific Standard Time'?"),
        ({"time_zone": "Europe/Nowhere"}, "as Windows does, such as 'W. Europe Standard Time'"),
        ({"start_time": "tomorrow"}, "'start_time' must be a time such as '2026-01-31T10:15:00', not 'tomorrow'"),
        ({"end_time": "2026-02-30"}, "'end_time' must be a time"),
        ({"start_time": "2026-02-01", "end_time": "2026-01-31T10:00:00"}, "is not after 'start_time' (2026-02-01)"),
    ],
)
def test_what_never_happens_is_refused(changed: dict[str, Any], words: str) -> None:
    """With what is wrong with it."""
    with pytest.raises(ValidationException) as caught:
        CronTrigger.from_dict({**CRON, **changed})
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"frequency": "fortnight"}, "'minute', 'hour', 'day', 'week' or 'month', not 'fortnight'"),
        ({"interval": 0}, "'interval' must be at least 1"),
        (
            {"frequency": "hour", "schedule": {"hours": [1], "minutes": 0}},
            "schedule: times of the day have no meaning with 'frequency: hour'; remove them, or make it day",
        ),
        ({"schedule": {"hours": [1, 24], "minutes": 0}}, "item 2 of 'hours' must be at most 23, not 24"),
        ({"schedule": {"hours": 1, "minutes": 0, "week_days": ["funday"]}}, "not 'funday'; did you mean 'sunday'?"),
    ],
)
def test_a_recurrence_is_checked_too(changed: dict[str, Any], words: str) -> None:
    """Its unit, its interval, and the times of the day."""
    with pytest.raises(ValidationException) as caught:
        RecurrenceTrigger.from_dict({**DAILY, **changed})
    assert words in str(caught.value)


def test_all_faults_of_a_schedule_are_told_at_once() -> None:
    """Each at its place."""
    trigger = {**CRON, "expression": "* *", "time_zone": "nowhere"}
    with pytest.raises(ValidationException) as caught:
        JobSchedule.from_dict({"name": "s", "trigger": trigger, "create_job": "azureml:j"})
    assert [str(one).partition(":")[0] for one in caught.value.problems] == ["trigger.expression", "trigger.time_zone"]
