"""Triggers of schedules: recurrences, cron expressions, and watched folders of datastores."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from smalt.entities.schedules.times import Cron, Time, Zone, is_empty_period
from smalt.entities.schema.effects import ACTED
from smalt.entities.schema.entity import Entity, constant, optional, required
from smalt.entities.schema.nested import Nested, TaggedNoun
from smalt.entities.schema.shapes import Enum, Integer, List, Text

if TYPE_CHECKING:
    from smalt.entities.schema.problems import Path
    from smalt.entities.schema.reader import Reader

POLLING_INTERVAL = 5
"""Minutes between two looks at a datastore, where a trigger does not say how many."""
MOST_MINUTES = 527_040
DAYS = Enum("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class RecurrencePattern(Entity):
    noun = "a recurrence pattern"
    _effect = ACTED

    hours = required(Integer(0, 23) | List(Integer(0, 23)), "Hours of the day.")
    minutes = required(Integer(0, 59) | List(Integer(0, 59)), "Minutes of the hour.")
    week_days = optional(DAYS | List(DAYS), "Days of the week.")
    month_days = optional(Integer(1, 31) | List(Integer(1, 31)), "Days of the month.")


class Trigger(Entity):
    noun = "a trigger"
    _effect = ACTED

    start_time = optional(Time(), "The start, such as `2026-01-31T10:15:00`.")
    end_time = optional(Time(), "The end.")
    time_zone = optional(Zone(), "The time zone, such as `Pacific Standard Time`; UTC where unset.")

    def __init__(self, *arguments: Any, **values: Any) -> None:
        super().__init__(*arguments, **values)
        for name in ("start_time", "end_time"):
            setattr(self, name, vars(self).get(name))

    def _check_rules(self, path: Path, reader: Reader, data: Mapping[str, Any]) -> None:
        start, end = vars(self).get("start_time"), vars(self).get("end_time")
        if isinstance(start, str) and isinstance(end, str) and not reader.is_answer and is_empty_period(start, end):
            reader.add_problem((*path, "end_time"), f"'end_time' ({end}) is not after 'start_time' ({start})")

    def __setattr__(self, name: str, value: Any) -> None:
        """Set a field; a `datetime` becomes text with the wall-clock time in `time_zone`, as the service takes it."""
        super().__setattr__(name, value.strftime("%Y-%m-%d %H:%M:%S") if isinstance(value, datetime) else value)


class CronTrigger(Trigger):
    noun = "a cron trigger"

    type = constant("cron", "The type.")
    expression = required(Cron(), "The cron expression: minute, hour, day, month, day of the week.")


class RecurrenceTrigger(Trigger):
    noun = "a recurrence trigger"

    type = constant("recurrence", "The type.")
    frequency = required(Enum("minute", "hour", "day", "week", "month"), "The unit of the interval.")
    interval = optional(Integer(at_least=1), "The number of units between runs; 1 where unset.")
    schedule = optional(Nested(RecurrencePattern), "The times of the day and days of the week.")

    def _check_rules(self, path: Path, reader: Reader, data: Mapping[str, Any]) -> None:
        super()._check_rules(path, reader, data)
        pattern, frequency = vars(self).get("schedule"), vars(self).get("frequency")
        if frequency not in ("minute", "hour") or not isinstance(pattern, RecurrencePattern) or reader.is_answer:
            return
        if any(value not in (None, []) for value in vars(pattern).values()):
            words = (
                f"times of the day have no meaning with 'frequency: {frequency}'; remove them, or make it day, week or"
            )
            reader.add_problem((*path, "schedule"), f"{words} month", at_key=True)


class DatastoreTrigger(Trigger):
    """A trigger that fires when files of a folder were added or changed; smalt's own, after SDK v1's schedules."""

    noun = "a datastore trigger"

    type = constant("datastore", "The type.")
    path = required(Text(), "The folder that is watched, as `azureml://datastores/NAME/paths/FOLDER`.")
    polling_interval = optional(
        Integer(at_least=1, at_most=MOST_MINUTES), f"The minutes between two looks; {POLLING_INTERVAL} where unset."
    )
    input = optional(Text(), "The input that gets the path of the changed file: each file has a job of its own then.")


TRIGGER: TaggedNoun[Trigger] = TaggedNoun(
    Trigger,
    "type",
    {
        "cron": "schedules.triggers:CronTrigger",
        "recurrence": "schedules.triggers:RecurrenceTrigger",
        "datastore": "schedules.triggers:DatastoreTrigger",
    },
)
