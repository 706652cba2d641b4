"""Conversion of the values that v1 lets a script log to values that MLflow can store."""

from __future__ import annotations

import math
import re

from .errors import make_user_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_FOREIGN = re.compile(r"[^\w.\-: /]")
_LONGEST = 250


def make_key(name: object) -> str:
    """A name that MLflow takes for a metric or tag and that is a path as it is; v1 took any text."""
    text = _FOREIGN.sub("_", str(name))[:_LONGEST]
    parts = [part if part.strip(".") else "_" * len(part) for part in text.split("/")]
    return "/".join(part for part in parts if part) or "_"


def to_number(value: Any) -> float | None:
    """Return the value as a number; None for a text, None, or an object that is not a number."""
    if value is None or isinstance(value, (str, bytes)):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def to_json_number(value: float) -> float | str:
    """JSON has no word for these; MLflow reads them as text."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def to_json_cell(value: Any) -> Any:
    """A table's cell as JSON has it."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    as_number = to_number(value)
    if as_number is None:
        return repr(value)
    if not math.isfinite(as_number):
        return None
    return int(as_number) if as_number.is_integer() and "int" in type(value).__name__ else as_number


def split_columns(table: Any) -> dict[str, list[Any]]:
    """A table's columns, of one length."""
    if not isinstance(table, dict):
        raise make_user_error(f"log_table takes a dictionary of columns, not {type(table).__name__}")
    made = {str(name): list(_to_list(column)) for name, column in table.items()}
    if len({len(column) for column in made.values()}) > 1:
        lengths = ", ".join(f"'{name}' has {len(column)}" for name, column in made.items())
        raise make_user_error(f"the columns of a table are of one length; {lengths}")
    return made


def _to_list(column: Any) -> Any:
    return column if hasattr(column, "__iter__") and not isinstance(column, (str, bytes, dict)) else [column]
