"""Cron expressions, times and time zones in the forms that the service accepts."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from smalt.constants._time_zone import TimeZone
from smalt.entities.schema.problems import Path, find_nearest, format_value
from smalt.entities.schema.shapes import Text

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader

_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("day of the week", 0, 7))
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NAMES = {
    "month": {name: at for at, name in enumerate(_MONTHS, 1)},
    "day of the week": {name: at for at, name in enumerate(_DAYS)},
}
_PART = re.compile(r"(\*|(\w+)(?:-(\w+))?)(?:/(\d+))?")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d(?:\.\d{1,9})?)?)?(Z|[+-]\d\d:?\d\d)?", re.IGNORECASE)


class Cron(Text):
    """A cron expression with five fields: minute, hour, day, month, day of the week."""

    def read_value(self, value: object, path: Path, reader: Reader) -> str | None:
        text = super().read_value(value, path, reader)
        wrong = None if text is None or reader.is_answer or reader.is_binding(text) else _check_cron(text)
        if wrong:
            reader.add_problem(path, f"'{path[-1]}' is not a cron expression: {wrong}")
        return text


class Time(Text):
    """A date, or a date and time of day, as ISO 8601 text."""

    def read_value(self, value: object, path: Path, reader: Reader) -> str | None:
        text = super().read_value(value, path, reader)
        if text is not None and not reader.is_answer and parse_wall_time(text) is None:
            words = f"'{path[-1]}' must be a time such as '2026-01-31T10:15:00', not {format_value(text)}"
            reader.add_problem(path, words)
        return text


class Zone(Text):
    """The name of a time zone, as Windows or the IANA spells it."""

    def read_value(self, value: object, path: Path, reader: Reader) -> str | None:
        text = super().read_value(value, path, reader)
        if text is None or reader.is_answer or text.strip().lower() in _list_zones() or _is_iana_zone(text.strip()):
            return text
        near = find_nearest(_shorten_zone(text), [_shorten_zone(zone.value) for zone in TimeZone])
        meant = next((zone.value for zone in TimeZone if _shorten_zone(zone.value) == near), None)
        hint = f"; did you mean '{meant}'?" if meant else ""
        hint = hint or "; write it as 'UTC', 'Europe/Berlin', or as Windows does, such as 'W. Europe Standard Time'"
        reader.add_problem(
            path, f"'{path[-1]}' is {format_value(text)}, which is not a time zone that schedules have{hint}"
        )
        return text


def _shorten_zone(zone: str) -> str:
    """Return the name without the words that most zone names share."""
    return re.sub(r"\s+(standard|time|std|daylight)\b", "", zone.strip().lower())


def _is_iana_zone(name: str) -> bool:
    from zoneinfo import ZoneInfo

    try:
        return bool(name) and ZoneInfo(name).key == name
    except (KeyError, OSError, ValueError):  # there is none, or it is no name of a file
        return False


def _list_zones() -> set[str]:
    return {zone.value.lower() for zone in TimeZone}


def is_empty_period(start: str, end: str) -> bool:
    """Return True if both texts are times and `end` is not after `start`."""
    first, last = parse_wall_time(start), parse_wall_time(end)
    return first is not None and last is not None and last <= first


def parse_wall_time(text: str) -> datetime | None:
    """Return the wall-clock time of a text, or None if the text is not a time."""
    found = _TIME.fullmatch(text.strip())
    try:
        return datetime.fromisoformat(f"{found[1]}T{found[2] or '00:00'}{(found[3] or '')[:3]}") if found else None
    except ValueError:
        return None


def _check_cron(text: str) -> str | None:
    """Return the reason why a cron expression is wrong, or None."""
    fields = text.split()
    if len(fields) != len(_FIELDS):
        names = ", ".join(name for name, _, _ in _FIELDS)
        return f"{format_value(text)} has {len(fields)} field{'s' * (len(fields) != 1)}, and five are needed ({names})"
    for field, (name, least, most) in zip(fields, _FIELDS, strict=True):
        for part in field.split(","):
            if not _is_cron_part(part, _NAMES.get(name, {}), least, most):
                allowed = f"*, {least} to {most}, a range 'a-b', a step '/n' or a list"
                return f"the {name} is {format_value(part)}; it may be {allowed}"
    return None


def _is_cron_part(text: str, names: dict[str, int], least: int, most: int) -> bool:
    found = _PART.fullmatch(text)
    if found is None or (found[4] is not None and int(found[4]) < 1):
        return False
    ends = [names.get(word.lower(), int(word) if word.isdecimal() else -1) for word in (found[2], found[3]) if word]
    return all(least <= end <= most for end in ends) and ends == sorted(ends)
