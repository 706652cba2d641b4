"""Partition formats: '/year={year}/{name}.csv' and '/{date:yyyy/MM/dd}/' make columns from the paths of files."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from .errors import UserErrorException
from .inference import BOOLEANS, infer_type

_PARTS = {"yyyy": 4, "MM": 2, "dd": 2, "HH": 2, "mm": 2, "ss": 2}
_FIRST_YEAR, _LAST_YEAR = 1678, 2261
"""The years that dates in nanoseconds can have."""
_CONVERSIONS: dict[str, Any] = {"int": int, "float": float, "boolean": lambda text: BOOLEANS.get(text.strip())}


class PartitionFormat(NamedTuple):
    pattern: re.Pattern[str]
    columns: list[str]
    date: str | None
    """The column that the parts of a date make, which is the last one."""


def parse_format(format: str) -> PartitionFormat:
    """Parse a partition format; raise UserErrorException if it defines no column."""
    parser = _FormatParser(format)
    parser.parse()
    return parser.make_format()


class _FormatParser:
    """Collects the columns of a format, and the pattern that finds them in paths."""

    def __init__(self, format: str) -> None:
        self._format = format
        self._pattern = ""
        self._columns: list[str] = []
        self._date: str | None = None
        self._seen: set[str] = set()

    def parse(self) -> None:
        format, index = self._format, 0
        while index < len(format):
            if format.startswith(("{{", "}}"), index):
                self._pattern += re.escape(format[index])
                index += 2
            elif format[index] == "{":
                closing = format.find("}", index)
                if closing < 0:
                    raise UserErrorException(f"partition_format '{format}' has a {{ without its }}")
                self._add_column(format[index + 1 : closing])
                index = closing + 1
            else:
                self._pattern += ".*?" if format[index] == "*" else re.escape(format[index])
                index += 1

    def _add_column(self, text: str) -> None:
        name, _, parts = text.partition(":")
        if parts and self._date is not None:
            raise UserErrorException(
                f"partition_format '{self._format}' has two dates; write one, as in {{day:yyyy/MM/dd}}"
            )
        if parts:
            self._date = name
            self._pattern += _make_date(parts, self._seen)
        elif name in self._columns:
            self._pattern += r"[^/\\]+"
        else:
            self._pattern += f"(?P<c{len(self._columns)}>" + r"[^/\\]+)"
            self._columns.append(name)

    def make_format(self) -> PartitionFormat:
        if self._seen and "yyyy" not in self._seen:
            raise UserErrorException(f"partition_format '{self._format}' has a date without its year (yyyy)")
        if not self._columns and self._date is None:
            raise UserErrorException(f"partition_format '{self._format}' names no column; write one as {{name}}")
        columns = [*self._columns, *([self._date] if self._date else [])]
        return PartitionFormat(re.compile(self._pattern), columns, self._date)


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
    """Return the columns in the paths of files; each has the type that all its texts have."""
    parsed = parse_format(format)
    made = match_texts(paths, parsed)
    if paths and not any(is_fitting(path, parsed) for path in paths):
        raise UserErrorException(f"partition_format '{format}' does not fit {paths[0]}")
    for name in parsed.columns:
        if name != parsed.date:
            kind = infer_type([value for value in made[name] if value is not None]).type
            convert = _CONVERSIONS.get(kind, str)
            made[name] = [value if value is None else convert(value) for value in made[name]]
    return made


def match_texts(texts: Sequence[Any], parsed: PartitionFormat) -> dict[str, list[Any]]:
    """Return the columns in texts, a value for each: a text, or a date; None where the format does not fit."""
    known: dict[Any, Sequence[Any]] = {}
    for text in texts:
        if text not in known:
            known[text] = _match_text(text, parsed)
    return {name: [known[text][index] for text in texts] for index, name in enumerate(parsed.columns)}


def is_fitting(text: Any, parsed: PartitionFormat) -> bool:
    return isinstance(text, str) and parsed.pattern.search(text) is not None


def _match_text(text: Any, parsed: PartitionFormat) -> Sequence[Any]:
    found = parsed.pattern.search(text) if isinstance(text, str) else None
    if found is None:
        return [None] * len(parsed.columns)
    groups = found.groupdict()
    values: list[Any] = [groups[f"c{index}"] for index in range(len(parsed.columns) - bool(parsed.date))]
    if parsed.date:
        numbers = [int(groups.get(part) or low) for part, low in zip(_PARTS, (1, 1, 1, 0, 0, 0))]  # noqa: B905
        try:
            date = datetime.datetime(*numbers)  # type: ignore[arg-type]
        except ValueError as error:
            raise UserErrorException(f"a partition_format finds no date in {text}: {error}") from None
        values.append(date if _FIRST_YEAR <= date.year <= _LAST_YEAR else None)
    return values
