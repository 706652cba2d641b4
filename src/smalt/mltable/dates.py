"""Date formats of text columns, found from a sample as Azure's mltable does."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from typing import NamedTuple

_TIME = r"(?P<clock>(?P<sep>[ T])\d{1,2}:\d{2}:\d{2}(\.\d{1,9})?(?P<zone> ?(Z|[+-]\d{2}:?\d{2}))?)?"
_YEAR_FIRST = re.compile(r"\s*(?P<y>\d{4})(?P<dash>[-/])(?P<m>\d{1,2})(?P=dash)(?P<d>\d{1,2})" + _TIME)
_SHORT_TIME = r"(?P<clock> \d{1,2}:\d{2}(?P<seconds>:\d{2})?(?P<half> ?[AaPp][Mm])?)?"
_YEAR_LAST = re.compile(r"\s*(?P<one>\d{1,2})(?P<dash>[-/])(?P<two>\d{1,2})(?P=dash)(?P<y>\d{4}|\d{2})" + _SHORT_TIME)
_MONTH_NAME = re.compile(r"\s*(?P<d>\d{1,2})-(?P<m>[A-Za-z]{3})-(?P<y>\d{4}|\d{2})")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class DateFormats(NamedTuple):
    """The date formats of a column."""

    formats: list[str]
    """As polars' strptime takes them; empty where no value can be told."""
    ambiguous: str | None
    """A value whose day and month cannot be told apart, where that is so of all of its form."""


def find_formats(sample: Iterable[str]) -> DateFormats | None:
    """Return the date formats of a sample; None if it contains other values."""
    found: dict[str, None] = {}
    month_first: dict[str, None] = {}
    day_first: dict[str, None] = {}
    may_be_month_first = may_be_day_first = True
    example = ""
    for text in sample:
        last = _YEAR_LAST.fullmatch(text)
        if last is None:
            format = _find_plain_format(text)
            if format is None:
                return None
            found[format] = None
            continue
        example = example or text
        month_first[_find_year_last(last, "%m", "%d")] = None
        day_first[_find_year_last(last, "%d", "%m")] = None
        may_be_month_first &= _is_date(last["y"], last["one"], last["two"])
        may_be_day_first &= _is_date(last["y"], last["two"], last["one"])
        if not may_be_month_first and not may_be_day_first:
            return None
    if example and may_be_month_first and may_be_day_first:
        return DateFormats(list(found), example)
    if example:
        found.update(month_first if may_be_month_first else day_first)
    return DateFormats(list(found), None) if found else None


def _find_plain_format(text: str) -> str | None:
    """Return the format of a date that can be read in only one way."""
    first = _YEAR_FIRST.fullmatch(text)
    if first is not None:
        if not _is_date(first["y"], first["m"], first["d"]):
            return None
        format = first["dash"].join(("%Y", "%m", "%d"))
        if first["clock"]:
            format += first["sep"] + "%H:%M:%S%.f" + ("%#z" if first["zone"] else "")
        return format
    named = _MONTH_NAME.fullmatch(text)
    if named is None or named["m"].lower() not in _MONTHS:
        return None
    if not _is_date(named["y"], str(_MONTHS.index(named["m"].lower()) + 1), named["d"]):
        return None
    return "%d-%b-" + _parse_year(named["y"])


def _find_year_last(found: re.Match[str], one: str, two: str) -> str:
    format = found["dash"].join((one, two, _parse_year(found["y"])))
    if not found["clock"]:
        return format
    seconds = ":%S" if found["seconds"] else ""
    half = found["half"]
    if not half:
        return f"{format} %H:%M{seconds}"
    return f"{format} %I:%M{seconds}{' ' if half[0] == ' ' else ''}%p"


def _parse_year(text: str) -> str:
    return "%Y" if len(text) == 4 else "%y"


def _is_date(year: str, month: str, day: str) -> bool:
    try:
        datetime.date(int(year) if len(year) == 4 else 2000 + int(year), int(month), int(day))
    except ValueError:
        return False
    return True
