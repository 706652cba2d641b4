"""Partition formats: '/year={year}/{name}.csv' and '/{date:yyyy/MM/dd}/' make columns from the paths of files."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from .errors import UserErrorException
from .inference import BOOLEANS, infer_type

_PARTS = {"yyyy": 4, "MM": 2, "dd": 2, "HH": 2, "mm": 2, "ss": 2}


class PartitionFormat(NamedTuple):
    pattern: re.Pattern[str]
    columns: list[str]
    date: str | None
    """The column that the parts of a date make, which is the last one."""


def parse_format(format: str) -> PartitionFormat:
    """Parse a partition format; raise UserErrorException if it defines no column."""
    made, index = "", 0
    columns: list[str] = []
    date: str | None = None
    seen: set[str] = set()
    while index < len(format):
        closing = format.find("}", index)
        if format.startswith(("{{", "}}"), index):
            made, index = made + re.escape(format[index]), index + 2
            continue
        if format[index] == "{":
            if closing < 0:
                raise UserErrorException(f"partition_format '{format}' has a {{ without its }}")
            name, _, parts = format[index + 1 : closing].partition(":")
            index = closing + 1
            if parts:
                date = name
                made += _make_date(parts, seen)
            elif name in columns:
                made += r"[^\./\\]+"
            else:
                made += f"(?P<c{len(columns)}>" + r"[^\./\\]+)"
                columns.append(name)
            continue
        made += ".*?" if format[index] == "*" else re.escape(format[index])
        index += 1
    if seen and "yyyy" not in seen:
        raise UserErrorException(f"partition_format '{format}' has a date without its year (yyyy)")
    if not columns and date is None:
        raise UserErrorException(f"partition_format '{format}' names no column; write one as {{name}}")
    return PartitionFormat(re.compile(made), [*columns, *([date] if date else [])], date)


def _make_date(parts: str, seen: set[str]) -> str:
    made, index = "", 0
    while index < len(parts):
        name = next((name for name in _PARTS if parts.startswith(name, index)), None)
        if name is None:
            made, index = made + re.escape(parts[index]), index + 1
            continue
        made += rf"\d{{{_PARTS[name]}}}" if name in seen else rf"(?P<{name}>\d{{{_PARTS[name]}}})"
        seen.add(name)
        index += len(name)
    return made


def extract_columns(paths: Sequence[str], format: str) -> dict[str, list[Any]]:
    """Return the columns in the paths; each has the type that all its texts have."""
    parsed = parse_format(format)
    found = [_match_path(path, parsed, format) for path in paths]
    made: dict[str, list[Any]] = {}
    for index, name in enumerate(parsed.columns):
        values = [each[index] for each in found]
        if name == parsed.date and index == len(parsed.columns) - 1:
            made[name] = values
            continue
        convert: dict[str, Any] = {"int": int, "float": float, "boolean": lambda text: BOOLEANS.get(text.strip())}
        made[name] = [convert.get(infer_type(values).type, str)(value) for value in values]
    return made


def _match_path(path: str, parsed: PartitionFormat, format: str) -> list[Any]:
    found = parsed.pattern.search(path)
    if found is None:
        raise UserErrorException(f"partition_format '{format}' does not fit {path}")
    groups = found.groupdict()
    values: list[Any] = [groups[f"c{index}"] for index in range(len(parsed.columns) - bool(parsed.date))]
    if parsed.date:
        numbers = [int(groups.get(part) or low) for part, low in zip(_PARTS, (1, 1, 1, 0, 0, 0))]  # noqa: B905
        try:
            values.append(datetime.datetime(*numbers))  # type: ignore[arg-type]
        except ValueError as error:
            raise UserErrorException(f"partition_format '{format}': {path} has no date there: {error}") from None
    return values
