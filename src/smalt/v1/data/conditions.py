"""Conditions on columns, such as `(dataset['age'] > 30) & (dataset['name'] == 'x')`, as filters of an MLTable."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from smalt.v1.exceptions import UserErrorException


class Condition:
    """A condition, or a value computed from columns."""

    def __init__(self, text: str, columns: Sequence[str]) -> None:
        self.text, self.columns = text, tuple(columns)

    def __repr__(self) -> str:
        return self.text

    def __bool__(self) -> bool:
        raise UserErrorException("a condition on a dataset's columns has no value here; combine conditions by & | ~")

    def _combine(self, operator: str, other: Any) -> Condition:
        text, columns = (other.text, other.columns) if isinstance(other, Condition) else (_format_value(other), ())
        return Condition(f"({self.text} {operator} {text})", (*self.columns, *columns))

    def __eq__(self, other: object) -> Condition:  # type: ignore[override]
        return self._combine("==", other)

    def __ne__(self, other: object) -> Condition:  # type: ignore[override]
        return self._combine("!=", other)

    def __lt__(self, other: Any) -> Condition:
        return self._combine("<", other)

    def __le__(self, other: Any) -> Condition:
        return self._combine("<=", other)

    def __gt__(self, other: Any) -> Condition:
        return self._combine(">", other)

    def __ge__(self, other: Any) -> Condition:
        return self._combine(">=", other)

    def __add__(self, other: Any) -> Condition:
        return self._combine("+", other)

    def __sub__(self, other: Any) -> Condition:
        return self._combine("-", other)

    def __mul__(self, other: Any) -> Condition:
        return self._combine("*", other)

    def __truediv__(self, other: Any) -> Condition:
        return self._combine("/", other)

    def __mod__(self, other: Any) -> Condition:
        return self._combine("%", other)

    def __and__(self, other: Any) -> Condition:
        return self._combine("and", other)

    def __or__(self, other: Any) -> Condition:
        return self._combine("or", other)

    def __invert__(self) -> Condition:
        return Condition(f"(not {self.text})", self.columns)

    __hash__ = None  # type: ignore[assignment]


class Column(Condition):
    """A column by its name, `dataset['name']`."""

    def __init__(self, name: str) -> None:
        super().__init__(f"col({name!r})", (name,))

    def starts_with(self, text: str) -> Condition:
        return Condition(f"{self.text}.startswith({text!r})", self.columns)

    def is_null(self) -> Condition:
        return self._combine("==", None)


def to_filter(condition: Any, known: Sequence[str] | None = None) -> str:
    """Return the filter of an MLTable; raises UserErrorException if a column is not one of those known."""
    if not isinstance(condition, Condition):
        raise UserErrorException(
            f"a filter is a condition on columns, such as dataset['age'] > 30, not {type(condition).__name__}"
        )
    unknown = [name for name in condition.columns if known is not None and name not in known]
    if unknown:
        has = f"they are {', '.join(known or ())}" if known else "there are none; give from_files a partition_format"
        raise UserErrorException(f"'{unknown[0]}' is not one of the partition keys; {has}")
    return condition.text


def _format_value(value: Any) -> str:
    if isinstance(value, datetime.datetime):
        return format_time(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return repr(value)
    raise UserErrorException(f"a column is compared with text, a number, a time or None, not with {value!r}")


def format_time(moment: datetime.datetime) -> str:
    """Return a time as filters have it, in UTC."""
    if moment.tzinfo is not None:
        moment = moment.astimezone(datetime.timezone.utc)
    parts = [moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second]
    return f"datetime({', '.join(map(str, parts))})"
